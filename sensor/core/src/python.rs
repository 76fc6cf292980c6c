//! The border to Python, and the only file that knows it. Events become the tuples of `sensor.model.events` while the
//! GIL is held; everything else happens without it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use pyo3::create_exception;
use pyo3::exceptions::{PyException, PyOverflowError, PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{IntoPyDict, PyBytes, PyDict, PyList, PyMappingProxy, PyString, PyTuple, PyType};

use crate::bench;
use crate::capture::interface::{Instruction, Options};
use crate::capture::packet::Problem;
use crate::flow::prefilter;
use crate::model::event::{Clock, EncryptedOpen, Event, Open, PathFacts, SealedRecord};
use crate::model::hello::{CertificateFacts, ClientFacts};
use crate::model::limits::{self, Refused};
use crate::threads::engine::Engine;
use crate::wire::exclusions::Exclusions;

create_exception!(_core, CaptureError, PyException, "A source cannot be opened or read.");

/// The tuple types of `sensor.model.events`, looked up once.
struct Types {
    open: Py<PyType>,
    chunk: Py<PyType>,
    hit: Py<PyType>,
    shape: Py<PyType>,
    close: Py<PyType>,
    clock: Py<PyType>,
    path: Py<PyType>,
    end: Py<PyType>,
    encrypted_open: Py<PyType>,
    client_hello: Py<PyType>,
    server_hello: Py<PyType>,
    server_certificate: Py<PyType>,
    sealed_record: Py<PyType>,
    records: Py<PyType>,
    encrypted_close: Py<PyType>,
    tuple_new: Py<PyAny>, // makes a named tuple without running its own `__new__`, which is Python
}

static TYPES: PyOnceLock<Types> = PyOnceLock::new();

fn types(py: Python<'_>) -> PyResult<&Types> {
    TYPES.get_or_try_init(py, || {
        let class_of = |module: &str, name: &str| -> PyResult<Py<PyType>> {
            Ok(py.import(module)?.getattr(name)?.cast_into::<PyType>()?.unbind())
        };
        let class = |name: &str| class_of("sensor.model.events", name);
        let encrypted = |name: &str| class_of("sensor.model.encrypted", name);
        Ok(Types {
            open: class("Open")?,
            chunk: class("Chunk")?,
            hit: class("Hit")?,
            shape: class("Shape")?,
            close: class("Close")?,
            clock: class("Clock")?,
            path: class("PathFacts")?,
            end: class("End")?,
            encrypted_open: encrypted("EncryptedOpen")?,
            client_hello: encrypted("ClientHello")?,
            server_hello: encrypted("ServerHello")?,
            server_certificate: encrypted("ServerCertificate")?,
            sealed_record: encrypted("SealedRecord")?,
            records: encrypted("Records")?,
            encrypted_close: encrypted("EncryptedClose")?,
            tuple_new: py.get_type::<PyTuple>().getattr("__new__")?.unbind(),
        })
    })
}

impl Types {
    /// A named tuple of these values.
    fn make<'py, V>(&self, py: Python<'py>, class: &Py<PyType>, values: V) -> PyResult<Bound<'py, PyAny>>
    where
        V: IntoPyObject<'py, Target = PyTuple, Output = Bound<'py, PyTuple>>,
        PyErr: From<V::Error>,
    {
        self.tuple_new.bind(py).call1((class, values.into_pyobject(py)?))
    }
}

fn to_python<'py>(py: Python<'py>, types: &Types, event: Event) -> PyResult<Bound<'py, PyAny>> {
    match event {
        Event::Open(open) => open_to_python(py, types, &open),
        Event::Chunk { flow, ts_ns, direction, offset, gap, data, base_seq, ack_advances, acked_bytes } => {
            let base_seq = base_seq.map_or(-1, i64::from);
            let data = PyBytes::new(py, &data);
            types.chunk.bind(py).call1((flow, ts_ns, direction, offset, gap, data, base_seq, ack_advances, acked_bytes))
        }
        Event::Hit { flow, ts_ns, direction, offset, literal } => {
            types.hit.bind(py).call1((flow, ts_ns, direction, offset, literal))
        }
        Event::Shape { flow, ts_ns, direction, shape, score } => {
            types.shape.bind(py).call1((flow, ts_ns, direction, shape, score))
        }
        Event::Close(close) => types.close.bind(py).call1((
            close.flow,
            close.ts_ns,
            close.reason.name(),
            close.first_ns,
            close.last_ns,
            close.packets,
            close.bytes,
            close.gap_bytes,
            close.bad_checksums,
            (clock_to_python(py, types, close.clocks[0])?, clock_to_python(py, types, close.clocks[1])?),
            (path_to_python(py, types, close.paths[0])?, path_to_python(py, types, close.paths[1])?),
        )),
        Event::EncryptedOpen(open) => encrypted_open_to_python(py, types, &open),
        Event::ClientHello { flow, ts_ns, direction, facts } => {
            client_hello_to_python(py, types, (flow, ts_ns, direction), &facts)
        }
        Event::ServerHello { flow, ts_ns, direction, facts } => {
            let values = (flow, ts_ns, direction, facts.version, facts.cipher, PyBytes::new(py, &facts.alpn));
            types.make(py, &types.server_hello, values)
        }
        Event::ServerCertificate { flow, ts_ns, direction, facts } => {
            certificate_to_python(py, types, (flow, ts_ns, direction), &facts)
        }
        Event::Records { flow, ts_ns, counts, records } => {
            let record = |record: SealedRecord| {
                let SealedRecord { ts_ns, direction, content_type, length, gap } = record;
                types.make(py, &types.sealed_record, (ts_ns, direction, content_type, length, gap))
            };
            let records = records.into_iter().map(record).collect::<PyResult<Vec<_>>>()?;
            types.make(py, &types.records, (flow, ts_ns, (counts[0], counts[1]), PyTuple::new(py, records)?))
        }
        Event::EncryptedClose(close) => types.make(
            py,
            &types.encrypted_close,
            (close.flow, close.ts_ns, close.reason.name(), close.records, close.resynchronised),
        ),
        Event::End { source, packets, error, offset, stretches } => {
            types.end.bind(py).call1((&*source, packets, error, offset, PyTuple::new(py, stretches)?))
        }
    }
}

fn open_to_python<'py>(py: Python<'py>, types: &Types, open: &Open) -> PyResult<Bound<'py, PyAny>> {
    // PyO3 makes tuples of twelve; the thirteenth goes by its name.
    let packets = [("packets", open.packets)].into_py_dict(py)?;
    let values = (
        open.flow,
        open.ts_ns,
        open.proto,
        PyBytes::new(py, &open.originator.0),
        open.originator.1,
        PyBytes::new(py, &open.responder.0),
        open.responder.1,
        open.basis.name(),
        open.midstream,
        open.first_ns,
        PyTuple::new(py, &open.vlans)?,
        &*open.source,
    );
    types.open.bind(py).call(values, Some(&packets))
}

fn encrypted_open_to_python<'py>(py: Python<'py>, types: &Types, open: &EncryptedOpen) -> PyResult<Bound<'py, PyAny>> {
    types.make(
        py,
        &types.encrypted_open,
        (
            open.flow,
            open.ts_ns,
            open.kind.name(),
            PyBytes::new(py, open.originator.address()),
            open.originator.port,
            PyBytes::new(py, open.responder.address()),
            open.responder.port,
            open.basis.name(),
            open.midstream,
            open.first_ns,
            PyTuple::new(py, &open.vlans.0[..usize::from(open.vlans.1)])?,
            &*open.source,
        ),
    )
}

fn bytes_tuple<'py>(py: Python<'py>, values: &[Vec<u8>]) -> PyResult<Bound<'py, PyTuple>> {
    PyTuple::new(py, values.iter().map(|value| PyBytes::new(py, value)))
}

fn client_hello_to_python<'py>(
    py: Python<'py>,
    types: &Types,
    (flow, ts_ns, direction): (u64, u64, u8),
    facts: &ClientFacts,
) -> PyResult<Bound<'py, PyAny>> {
    types.make(
        py,
        &types.client_hello,
        (
            flow,
            ts_ns,
            direction,
            PyBytes::new(py, &facts.sni),
            bytes_tuple(py, &facts.protocols())?,
            PyTuple::new(py, &facts.versions[..facts.version_count])?,
            facts.ciphers,
            PyString::from_bytes(py, &facts.ja3)?,
            PyString::from_bytes(py, &facts.ja4)?,
            facts.length,
        ),
    )
}

fn certificate_to_python<'py>(
    py: Python<'py>,
    types: &Types,
    (flow, ts_ns, direction): (u64, u64, u8),
    facts: &CertificateFacts,
) -> PyResult<Bound<'py, PyAny>> {
    types.make(
        py,
        &types.server_certificate,
        (
            flow,
            ts_ns,
            direction,
            bytes_tuple(py, &facts.names)?,
            PyBytes::new(py, &facts.subject),
            PyBytes::new(py, &facts.issuer),
            facts.self_signed,
            facts.not_before_s,
            facts.not_after_s,
        ),
    )
}

fn clock_to_python<'py>(py: Python<'py>, types: &Types, clock: Option<Clock>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let tuple =
        |clock: Clock| types.clock.bind(py).call1((clock.first_ns, clock.first_tsval, clock.last_ns, clock.last_tsval));
    clock.map(tuple).transpose()
}

fn path_to_python<'py>(py: Python<'py>, types: &Types, path: PathFacts) -> PyResult<Bound<'py, PyAny>> {
    types.path.bind(py).call1((path.ack_advances, path.acked_bytes, path.ttl_changes, path.mac_changes))
}

fn capture_error(py: Python<'_>, source: &str, problem: &Problem) -> PyErr {
    let error = CaptureError::new_err(format!("{source}: {}", problem.reason));
    let value = error.value(py);
    let set = value
        .setattr("source", source)
        .and_then(|()| value.setattr("reason", &problem.reason))
        .and_then(|()| value.setattr("offset", problem.offset));
    set.err().unwrap_or(error)
}

type OpeningArgs = (u8, usize, Vec<(u8, u8)>, i64);

#[pyclass(frozen, module = "sensor._core")]
struct Tables {
    literals: Vec<Vec<u8>>,
    openings: Vec<prefilter::Opening>,
    flights: Vec<(u32, u32)>,
}

impl Tables {
    fn build(&self) -> PyResult<prefilter::Tables> {
        prefilter::Tables::new(self.literals.clone(), self.openings.clone(), self.flights.clone())
            .map_err(PyValueError::new_err)
    }
}

#[pymethods]
impl Tables {
    #[new]
    #[pyo3(signature = (literals, openings, flights = Vec::new()))]
    fn new(literals: Vec<Vec<u8>>, openings: Vec<OpeningArgs>, flights: Vec<(u32, u32)>) -> PyResult<Tables> {
        let opening = |(proto, at, pattern, budget)| prefilter::Opening { proto, at, pattern, budget };
        let tables = Tables { literals, openings: openings.into_iter().map(opening).collect(), flights };
        tables.build()?;
        Ok(tables)
    }
}

#[pyclass(frozen, module = "sensor._core")]
struct Limits(limits::Limits);

#[pymethods]
impl Limits {
    #[new]
    #[pyo3(signature = (**values))]
    fn new(values: Option<&Bound<'_, PyDict>>) -> PyResult<Limits> {
        let mut limits = limits::Limits::default();
        for (name, value) in values.into_iter().flatten() {
            let name: String = name.extract()?;
            limits.set(&name, value.extract()?).map_err(|refused| match refused {
                Refused::NoSuchLimit => PyTypeError::new_err(format!("there is no limit {name:?}")),
                Refused::OutOfRange => PyOverflowError::new_err(format!("{name}: {value} is out of range")),
            })?;
        }
        limits.check().map_err(PyValueError::new_err)?;
        Ok(Limits(limits))
    }
}

#[pyclass(frozen, module = "sensor._core")]
struct Core(Mutex<Engine>);

impl Core {
    fn engine(&self) -> std::sync::MutexGuard<'_, Engine> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl Core {
    #[new]
    fn new(tables: &Tables, limits: &Limits) -> PyResult<Core> {
        Ok(Core(Mutex::new(Engine::new(tables.build()?, &limits.0))))
    }

    #[pyo3(signature = (source, *, full = "wait", promiscuous = true, ring_bytes = 67_108_864, snaplen = 0,
        filter = Vec::new()))]
    #[allow(clippy::too_many_arguments)] // keyword-only on the Python side
    fn attach(
        &self,
        py: Python<'_>,
        source: &str,
        full: &str,
        promiscuous: bool,
        ring_bytes: usize,
        snaplen: u32,
        filter: Vec<Instruction>,
    ) -> PyResult<()> {
        let options = Options { promiscuous, ring_bytes, snaplen, filter };
        let wait = match full {
            "wait" => true,
            "drop" => false,
            _ => return Err(PyValueError::new_err("full is \"wait\" or \"drop\"")),
        };
        py.detach(|| self.engine().attach(source, wait, &options))
            .map_err(|problem| capture_error(py, source, &problem))
    }

    fn poll<'py>(&self, py: Python<'py>, max_events: usize, timeout_ms: u64) -> PyResult<Bound<'py, PyList>> {
        let queue = self.engine().queue();
        let events =
            py.detach(|| queue.pop(max_events, Duration::from_millis(timeout_ms))).map_err(PyRuntimeError::new_err)?;
        let types = types(py)?;
        let tuples = events.into_iter().map(|event| to_python(py, types, event)).collect::<PyResult<Vec<_>>>()?;
        PyList::new(py, tuples)
    }

    fn finish(&self) {
        self.engine().finish();
    }

    #[getter]
    fn finished(&self) -> bool {
        self.engine().queue().is_finished()
    }

    fn replace(&self, tables: &Tables) -> PyResult<()> {
        self.engine().replace(tables.build()?);
        Ok(())
    }

    fn exclude(&self, networks: Vec<(Vec<u8>, u8)>, ports: Vec<u16>) -> PyResult<()> {
        let exclusions = Exclusions::new(&networks, &ports).map_err(PyValueError::new_err)?;
        self.engine().exclude(exclusions);
        Ok(())
    }

    fn interfaces(&self) -> HashMap<String, HashMap<&'static str, u64>> {
        self.engine()
            .interfaces()
            .into_iter()
            .map(|(name, figures)| (name.to_string(), figures.into_iter().collect()))
            .collect()
    }

    fn stats(&self) -> HashMap<&'static str, u64> {
        self.engine().stats().into_iter().collect()
    }

    fn close(&self, py: Python<'_>) {
        py.detach(|| self.engine().close());
    }
}

#[pyfunction]
#[pyo3(name = "bench")]
fn run_bench(py: Python<'_>, source: &str, step: &str, tables: &Tables, limits: &Limits) -> PyResult<(u64, u64, f64)> {
    let built = tables.build()?;
    py.detach(|| bench::run(source, step, built, &limits.0)).map_err(PyValueError::new_err)
}

/// What `sensor/_core.pyi` says of it. The GIL is held: no thread of Python may begin meanwhile.
#[cfg(target_os = "linux")]
#[pyfunction]
fn confine(
    read: Vec<std::path::PathBuf>,
    write: Vec<std::path::PathBuf>,
    connect_ports: Vec<u16>,
    packet_sockets: bool,
    capabilities: Vec<String>,
) -> PyResult<(u32, bool, bool, bool, bool)> {
    let rules = crate::sandbox::Rules { read, write, connect_ports, packet_sockets, capabilities };
    let confined = crate::sandbox::confine(&rules).map_err(PyRuntimeError::new_err)?;
    Ok((confined.landlock, confined.ports, confined.all_threads, confined.seccomp, confined.capabilities))
}

#[pymodule]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("ENGINE", "compiled")?;
    module.add("COMPILER", env!("MINEWATCH_COMPILER"))?;
    let defaults = limits::DEFAULTS.iter().copied().into_py_dict(module.py())?;
    module.add("LIMITS", PyMappingProxy::new(module.py(), defaults.as_mapping()))?;
    module.add("CaptureError", module.py().get_type::<CaptureError>())?;
    module.add_class::<Tables>()?;
    module.add_class::<Limits>()?;
    module.add_class::<Core>()?;
    module.add_function(wrap_pyfunction!(run_bench, module)?)?;
    #[cfg(target_os = "linux")]
    module.add_function(wrap_pyfunction!(confine, module)?)?;
    Ok(())
}
