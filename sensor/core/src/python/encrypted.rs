//! Events of encrypted sessions as the tuples of `sensor.model.encrypted`. A few come with every TLS connection, so
//! what many of them have in common is made once.

use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::sync::MutexExt;
use pyo3::types::{PyBytes, PyInt, PyString, PyTuple, PyType};

use crate::model::answer::DnsAnswer;
use crate::model::event::{Basis, EncryptedOpen, Event, Reason, SealedRecord, SessionKind, Spent};
use crate::model::hello::{CertificateFacts, ClientFacts};

/// Greetings and certificates whose objects are kept, and the most bytes of protocols in one of them.
const GREETINGS: usize = 512;
const CERTIFICATES: usize = 512;
const MAX_ALPN: usize = 64;

/// A class of one of our modules.
pub fn class_of(py: Python<'_>, module: &str, name: &str) -> PyResult<Py<PyType>> {
    Ok(py.import(module)?.getattr(name)?.cast_into::<PyType>()?.unbind())
}

/// What clients of one program have in common.
struct Greeting {
    alpn_bytes: Vec<u8>,
    version_numbers: Vec<u16>,
    fingerprints: ([u8; 32], [u8; 36]),
    alpn: Py<PyTuple>,
    versions: Py<PyTuple>,
    ja3: Py<PyString>,
    ja4: Py<PyString>,
}

impl Greeting {
    fn new(py: Python<'_>, facts: &ClientFacts) -> PyResult<Greeting> {
        Ok(Greeting {
            alpn_bytes: facts.alpn().to_vec(),
            version_numbers: facts.versions().to_vec(),
            fingerprints: (facts.ja3, facts.ja4),
            alpn: PyTuple::new(py, facts.protocols().iter().map(|name| PyBytes::new(py, name)))?.unbind(),
            versions: PyTuple::new(py, facts.versions())?.unbind(),
            ja3: PyString::from_bytes(py, &facts.ja3)?.unbind(),
            ja4: PyString::from_bytes(py, &facts.ja4)?.unbind(),
        })
    }

    fn is_of(&self, facts: &ClientFacts) -> bool {
        self.fingerprints == (facts.ja3, facts.ja4)
            && self.alpn_bytes == facts.alpn()
            && self.version_numbers == facts.versions()
    }
}

/// A certificate that many sessions have.
struct Certificate {
    facts: Arc<CertificateFacts>,
    names: Py<PyTuple>,
    subject: Py<PyBytes>,
    issuer: Py<PyBytes>,
    not_before_s: Py<PyInt>,
    not_after_s: Py<PyInt>,
}

impl Certificate {
    fn new(py: Python<'_>, facts: &Arc<CertificateFacts>) -> PyResult<Certificate> {
        Ok(Certificate {
            facts: facts.clone(),
            names: PyTuple::new(py, facts.names.iter().map(|name| PyBytes::new(py, name)))?.unbind(),
            subject: PyBytes::new(py, &facts.subject).unbind(),
            issuer: PyBytes::new(py, &facts.issuer).unbind(),
            not_before_s: PyInt::new(py, facts.not_before_s).unbind(),
            not_after_s: PyInt::new(py, facts.not_after_s).unbind(),
        })
    }
}

/// Objects that were made before.
#[derive(Default)]
struct Made {
    greetings: Vec<Option<Greeting>>,       // each in the place that its JA3 leads to
    certificates: Vec<Option<Certificate>>, // each in the place that its address leads to
    source: Option<(Arc<str>, Py<PyString>)>,
}

impl Made {
    fn greeting(&mut self, py: Python<'_>, facts: &ClientFacts) -> PyResult<&Greeting> {
        if self.greetings.is_empty() {
            self.greetings.resize_with(GREETINGS, || None);
        }
        let place = usize::from(facts.ja3[0]) + 31 * usize::from(facts.ja3[1]) + 7 * usize::from(facts.ja3[2]);
        let entry = &mut self.greetings[place % GREETINGS];
        if !entry.as_ref().is_some_and(|greeting| greeting.is_of(facts)) {
            *entry = None;
        }
        match entry {
            Some(greeting) => Ok(greeting),
            None => Ok(entry.insert(Greeting::new(py, facts)?)),
        }
    }

    fn certificate(&mut self, py: Python<'_>, facts: &Arc<CertificateFacts>) -> PyResult<&Certificate> {
        if self.certificates.is_empty() {
            self.certificates.resize_with(CERTIFICATES, || None);
        }
        let place = (Arc::as_ptr(facts) as usize >> 4) % CERTIFICATES;
        let entry = &mut self.certificates[place];
        if !entry.as_ref().is_some_and(|known| Arc::ptr_eq(&known.facts, facts)) {
            *entry = None;
        }
        match entry {
            Some(known) => Ok(known),
            None => Ok(entry.insert(Certificate::new(py, facts)?)),
        }
    }

    fn source(&mut self, py: Python<'_>, name: Option<&Arc<str>>) -> Py<PyString> {
        let Some(name) = name else { return PyString::new(py, "").unbind() };
        match &self.source {
            Some((last, text)) if Arc::ptr_eq(last, name) => text.clone_ref(py),
            _ => {
                let text = PyString::new(py, name).unbind();
                self.source = Some((name.clone(), text.clone_ref(py)));
                text
            }
        }
    }
}

/// The tuple types, looked up once, and the words in them.
pub struct EncryptedTypes {
    open: Py<PyType>,
    client_hello: Py<PyType>,
    server_hello: Py<PyType>,
    certificate: Py<PyType>,
    record: Py<PyType>,
    records: Py<PyType>,
    close: Py<PyType>,
    nameless: Py<PyType>,
    dns_answer: Py<PyType>,
    address_named: Py<PyType>,
    tuple_new: Py<PyAny>, // makes a named tuple without running its own `__new__`, which is Python
    kinds: Vec<Py<PyString>>,
    bases: Vec<Py<PyString>>,
    reasons: Vec<Py<PyString>>,
    made: Mutex<Made>,
}

impl EncryptedTypes {
    pub fn new(py: Python<'_>) -> PyResult<EncryptedTypes> {
        let class = |name: &str| class_of(py, "sensor.model.encrypted", name);
        let word = |name: &str| PyString::intern(py, name).unbind();
        Ok(EncryptedTypes {
            open: class("EncryptedOpen")?,
            client_hello: class("ClientHello")?,
            server_hello: class("ServerHello")?,
            certificate: class("ServerCertificate")?,
            record: class("SealedRecord")?,
            records: class("Records")?,
            close: class("EncryptedClose")?,
            nameless: class("NamelessSession")?,
            dns_answer: class("DnsAnswer")?,
            address_named: class("AddressNamed")?,
            tuple_new: py.get_type::<PyTuple>().getattr("__new__")?.unbind(),
            kinds: SessionKind::ALL.iter().map(|kind| word(kind.name())).collect(),
            bases: Basis::ALL.iter().map(|basis| word(basis.name())).collect(),
            reasons: Reason::ALL.iter().map(|reason| word(reason.name())).collect(),
            made: Mutex::default(),
        })
    }

    /// A named tuple of these values.
    fn make<'py, V>(&self, py: Python<'py>, class: &Py<PyType>, values: V) -> PyResult<Bound<'py, PyAny>>
    where
        V: IntoPyObject<'py, Target = PyTuple, Output = Bound<'py, PyTuple>>,
        PyErr: From<V::Error>,
    {
        self.tuple_new.bind(py).call1((class, values.into_pyobject(py)?))
    }

    /// The tuple of an event of an encrypted session; None of any other.
    pub fn to_python<'py>(&self, py: Python<'py>, event: Event, spent: &mut Spent) -> PyResult<Bound<'py, PyAny>> {
        match event {
            Event::EncryptedOpen(open) => {
                let tuple = self.open_to_python(py, &open);
                spent.opens.push(open);
                tuple
            }
            Event::ClientHello { flow, ts_ns, direction, facts } => {
                let tuple = self.client_hello_to_python(py, (flow, ts_ns, direction), &facts);
                spent.hellos.push(facts);
                tuple
            }
            Event::ServerHello { flow, ts_ns, direction, facts } => {
                let values = (flow, ts_ns, direction, facts.version, facts.cipher, PyBytes::new(py, &facts.alpn));
                self.make(py, &self.server_hello, values)
            }
            Event::ServerCertificate { flow, ts_ns, direction, facts } => {
                self.certificate_to_python(py, (flow, ts_ns, direction), &facts)
            }
            Event::Records { flow, ts_ns, counts, records } => {
                let record = |record: SealedRecord| {
                    let SealedRecord { ts_ns, direction, content_type, length, gap } = record;
                    self.make(py, &self.record, (ts_ns, direction, content_type, length, gap))
                };
                let records = records.into_iter().map(record).collect::<PyResult<Vec<_>>>()?;
                self.make(py, &self.records, (flow, ts_ns, (counts[0], counts[1]), PyTuple::new(py, records)?))
            }
            Event::EncryptedClose(close) => {
                let reason = &self.reasons[close.reason as usize];
                self.make(py, &self.close, (close.flow, close.ts_ns, reason, close.records, close.resynchronised))
            }
            Event::NamelessSession { ts_ns, client, opened } => {
                let tuple = self.nameless_to_python(py, ts_ns, client, &opened);
                spent.opens.push(opened);
                tuple
            }
            Event::DnsAnswer(answer) => self.dns_answer_to_python(py, &answer),
            Event::AddressNamed { ts_ns, facts } => {
                let addresses = PyTuple::new(py, facts.addresses().iter().map(|address| PyBytes::new(py, address)))?;
                self.make(py, &self.address_named, (ts_ns, PyBytes::new(py, facts.name()), addresses))
            }
            _ => Ok(py.None().into_bound(py)),
        }
    }

    fn open_to_python<'py>(&self, py: Python<'py>, open: &EncryptedOpen) -> PyResult<Bound<'py, PyAny>> {
        let source =
            self.made.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner).source(py, open.source.as_ref());
        let values = (
            open.flow,
            open.ts_ns,
            &self.kinds[open.kind as usize],
            PyBytes::new(py, open.originator.address()),
            open.originator.port,
            PyBytes::new(py, open.responder.address()),
            open.responder.port,
            &self.bases[open.basis as usize],
            open.midstream,
            open.first_ns,
            PyTuple::new(py, &open.vlans.0[..usize::from(open.vlans.1)])?,
            source,
        );
        self.make(py, &self.open, values)
    }

    fn nameless_to_python<'py>(
        &self,
        py: Python<'py>,
        ts_ns: u64,
        client: Option<u8>,
        open: &EncryptedOpen,
    ) -> PyResult<Bound<'py, PyAny>> {
        let source =
            self.made.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner).source(py, open.source.as_ref());
        let values = (
            open.flow,
            ts_ns,
            PyBytes::new(py, open.originator.address()),
            open.originator.port,
            PyBytes::new(py, open.responder.address()),
            open.responder.port,
            &self.bases[open.basis as usize],
            client.map_or(-1, |side| i8::from(side != 0)),
            open.first_ns,
            PyTuple::new(py, &open.vlans.0[..usize::from(open.vlans.1)])?,
            source,
        );
        self.make(py, &self.nameless, values)
    }

    fn client_hello_to_python<'py>(
        &self,
        py: Python<'py>,
        (flow, ts_ns, direction): (u64, u64, u8),
        facts: &ClientFacts,
    ) -> PyResult<Bound<'py, PyAny>> {
        let sni = PyBytes::new(py, facts.sni());
        let make = |greeting: &Greeting| {
            let Greeting { alpn, versions, ja3, ja4, .. } = greeting;
            let values = (flow, ts_ns, direction, &sni, alpn, versions, facts.ciphers, ja3, ja4, facts.length);
            self.make(py, &self.client_hello, values)
        };
        if facts.alpn().len() > MAX_ALPN {
            return make(&Greeting::new(py, facts)?);
        }
        let mut made = self.made.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner);
        make(made.greeting(py, facts)?)
    }

    fn dns_answer_to_python<'py>(&self, py: Python<'py>, answer: &DnsAnswer) -> PyResult<Bound<'py, PyAny>> {
        let source =
            self.made.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner).source(py, answer.source.as_ref());
        let width = if answer.v6 { 16 } else { 4 };
        let values = (
            answer.ts_ns,
            PyBytes::new(py, &answer.client[..width]),
            PyBytes::new(py, &answer.server[..width]),
            PyBytes::new(py, answer.facts.name()),
            PyTuple::new(py, answer.facts.addresses().iter().map(|address| PyBytes::new(py, address)))?,
            answer.facts.ttl_s,
            PyTuple::new(py, &answer.vlans.0[..usize::from(answer.vlans.1)])?,
            source,
        );
        self.make(py, &self.dns_answer, values)
    }

    fn certificate_to_python<'py>(
        &self,
        py: Python<'py>,
        (flow, ts_ns, direction): (u64, u64, u8),
        facts: &Arc<CertificateFacts>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let mut made = self.made.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner);
        let Certificate { names, subject, issuer, not_before_s, not_after_s, .. } = made.certificate(py, facts)?;
        let values = (flow, ts_ns, direction, names, subject, issuer, facts.self_signed, not_before_s, not_after_s);
        self.make(py, &self.certificate, values)
    }
}
