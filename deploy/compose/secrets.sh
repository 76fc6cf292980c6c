#!/bin/sh
# Makes what compose.yaml reads as secrets: an authority of its own, a certificate and key for each part, and two
# passwords. Nothing is overwritten: a certificate that ends is deleted first, and made anew.
#   sh deploy/compose/secrets.sh [FOLDER]      as root, so that each key belongs to the user who reads it
#   CONSOLE_NAMES=desk.example.org             names of the console beside localhost, with commas
#   KAFKA_NAMES=kafka.example.org              names of the broker beside kafka and localhost
#   DAYS=825
set -eu
umask 077
folder=${1:-$(dirname "$0")/secrets}
days=${DAYS:-825}
mkdir -p "$folder"
cd "$folder"

# Who reads a file: the users of the images. Without root all stays with whoever calls.
owned() {
    if [ "$(id -u)" = 0 ]; then chown "$1:$1" "$2"; fi
    chmod 0400 "$2"
}

names_of() {
    names=""
    for name in $(echo "$1" | tr , ' '); do names="$names,DNS:$name"; done
    echo "${names#,}"
}

if [ ! -e ca.pem ]; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj "/CN=minewatch" \
        -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign \
        -keyout ca.key -out ca.pem 2>/dev/null
    chmod 0444 ca.pem
fi

# NAME USER NAMES: the name is what the others know it by; the second argument is the user of its image.
certificate() {
    if [ -e "$1.pem" ]; then return; fi
    {
        echo "basicConstraints=critical,CA:FALSE"
        echo "keyUsage=critical,digitalSignature"
        echo "extendedKeyUsage=serverAuth,clientAuth"
        if [ -n "$3" ]; then echo "subjectAltName=$(names_of "$3")"; fi
    } >"$1.ext"
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout "$1.key" -out "$1.csr" \
        2>/dev/null
    openssl x509 -req -days "$days" -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -extfile "$1.ext" \
        -out "$1.pem" 2>/dev/null
    rm -f "$1.csr" "$1.ext"
    chmod 0444 "$1.pem"
    owned "$2" "$1.key"
}

certificate kafka 1000 "kafka,localhost${KAFKA_NAMES:+,$KAFKA_NAMES}"
certificate kafka-admin 1000 ""
certificate postgres 999 "postgres"
certificate console 10001 "localhost${CONSOLE_NAMES:+,$CONSOLE_NAMES}"
certificate collector 10001 ""
for number in 1 2 3; do certificate "sensor-$number" 10001 ""; done

# Kafka reads key and certificate from one file.
for name in kafka kafka-admin; do
    if [ ! -e "$name.store.pem" ] || [ "$name.pem" -nt "$name.store.pem" ]; then
        rm -f "$name.store.pem"
        cat "$name.key" "$name.pem" >"$name.store.pem"
        owned 1000 "$name.store.pem"
    fi
done

# NAME USER
password() {
    if [ -e "$1.password" ]; then return; fi
    openssl rand -hex 24 | tr -d '\n' >"$1.password"
    owned "$2" "$1.password"
}

password postgres 999
password grafana 472
echo "$(pwd): made; keep ca.key elsewhere"
