-- Read once, when the volume is empty. The role owns its database and can nothing else; it signs in by certificate.
CREATE ROLE minewatch LOGIN;
CREATE DATABASE minewatch OWNER minewatch ENCODING 'UTF8' TEMPLATE template0 LOCALE 'C.UTF-8';
