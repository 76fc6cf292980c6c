//! One end of a TLS session on rustls: plays a script, as peer.py says.
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{CipherSuite, ClientConfig, Connection, DigitallySignedStruct, ServerConfig, SignatureScheme};
use serde_json::Value;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

#[derive(Debug)]
struct Trusting;

impl ServerCertVerifier for Trusting {
    fn verify_server_cert(
        &self, _: &CertificateDer<'_>, _: &[CertificateDer<'_>], _: &ServerName<'_>, _: &[u8], _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }
    fn verify_tls12_signature(
        &self, _: &[u8], _: &CertificateDer<'_>, _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }
    fn verify_tls13_signature(
        &self, _: &[u8], _: &CertificateDer<'_>, _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        rustls::crypto::ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}

fn text(plan: &Value, key: &str) -> String {
    plan[key].as_str().unwrap_or("").to_owned()
}

fn client(plan: &Value) -> (Connection, TcpStream) {
    let config = ClientConfig::builder()
        .dangerous().with_custom_certificate_verifier(Arc::new(Trusting)).with_no_client_auth();
    let name = text(plan, "name");
    let name = if name.is_empty() { "127.0.0.1".to_owned() } else { name };
    let name = ServerName::try_from(name).unwrap();
    let socket = TcpStream::connect(("127.0.0.1", plan["port"].as_u64().unwrap() as u16)).unwrap();
    (rustls::ClientConnection::new(Arc::new(config), name).unwrap().into(), socket)
}

fn server(plan: &Value) -> (Connection, TcpStream) {
    let mut provider = rustls::crypto::ring::default_provider();
    let mut versions = vec![&rustls::version::TLS13];
    if text(plan, "version") == "1.2" {
        versions = vec![&rustls::version::TLS12];
        let wanted = match text(plan, "ciphers").as_str() {
            "ECDHE-RSA-CHACHA20-POLY1305" => CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
            _ => CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        };
        provider.cipher_suites.retain(|suite| suite.suite() == wanted);
    }
    let chain = CertificateDer::pem_file_iter(text(plan, "certificate")).unwrap().map(|c| c.unwrap()).collect();
    let key = PrivateKeyDer::from_pem_file(text(plan, "key")).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(provider)).with_protocol_versions(&versions).unwrap()
        .with_no_client_auth().with_single_cert(chain, key).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("{}", listener.local_addr().unwrap().port());
    let (socket, _) = listener.accept().unwrap();
    (rustls::ServerConnection::new(Arc::new(config)).unwrap().into(), socket)
}

/// Moves bytes both ways until `needed` plaintext bytes came, or until `until`.
fn pump(connection: &mut Connection, socket: &mut TcpStream, came: &mut u64, needed: u64, until: Option<Instant>) {
    loop {
        while connection.wants_write() {
            if connection.write_tls(socket).is_err() {
                return;
            }
        }
        let done = !connection.is_handshaking() && *came >= needed;
        if done && until.map_or(true, |end| Instant::now() >= end) {
            return;
        }
        match connection.read_tls(socket) {
            Ok(0) => return,
            Ok(_) => {
                let state = connection.process_new_packets().unwrap();
                let mut plain = vec![0; state.plaintext_bytes_to_read()];
                connection.reader().read_exact(&mut plain).unwrap();
                *came += plain.len() as u64;
            }
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => return,
        }
    }
}

fn main() {
    let path = std::env::args().nth(1).unwrap();
    let plan: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (mut connection, mut socket) = if text(&plan, "role") == "server" { server(&plan) } else { client(&plan) };
    socket.set_nodelay(true).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(2))).unwrap();
    let mut came = 0;
    for row in plan["rows"].as_array().unwrap() {
        pump(&mut connection, &mut socket, &mut came, row[0].as_u64().unwrap(), None);
        let end = Instant::now() + Duration::from_millis(row[1].as_u64().unwrap());
        pump(&mut connection, &mut socket, &mut came, 0, Some(end));
        let lengths: Vec<usize> = row[2].as_array().unwrap().iter().map(|l| l.as_u64().unwrap() as usize).collect();
        let alone = row[3].as_bool().unwrap();
        for length in if alone { lengths.clone() } else { vec![lengths.iter().sum()] } {
            connection.writer().write_all(&vec![0; length]).unwrap();
            while connection.wants_write() {
                connection.write_tls(&mut socket).unwrap();
            }
        }
    }
    pump(&mut connection, &mut socket, &mut came, plan["expects"].as_u64().unwrap(), None);
    std::thread::sleep(Duration::from_millis(50));
    connection.send_close_notify();
    let _ = connection.write_tls(&mut socket);
    std::thread::sleep(Duration::from_millis(50));
}
