//! The module that Python sees. Events become the tuples of `sensor.model.events` while the
//! GIL is held; everything else happens without it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use pyo3::create_exception;
use pyo3::exceptions::{PyException, PyOverflowError, PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::{MutexExt, PyOnceLock};
use pyo3::types::{IntoPyDict, PyBytes, PyDict, PyList, PyMappingProxy, PyTuple, PyType};

use crate::bench;
use crate::capture::interface::{Instruction, Options};
use crate::capture::packet::Problem;
use crate::flow::opening::{Opening, Pattern};
use crate::flow::prefilter;
use crate::model::event::{Clock, Event, Open, PathFacts, Spent};
use crate::model::limits::{self, Refused};
use crate::python::encrypted::{class_of, EncryptedTypes};
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
    encrypted: EncryptedTypes,
}

static TYPES: PyOnceLock<Types> = PyOnceLock::new();

fn types(py: Python<'_>) -> PyResult<&Types> {
    TYPES.get_or_try_init(py, || {
        let class = |name: &str| class_of(py, "sensor.model.events", name);
        Ok(Types {
            open: class("Open")?,
            chunk: class("Chunk")?,
            hit: class("Hit")?,
            shape: class("Shape")?,
            close: class("Close")?,
            clock: class("Clock")?,
            path: class("PathFacts")?,
            end: class("End")?,
            encrypted: EncryptedTypes::new(py)?,
        })
    })
}

fn to_python<'py>(py: Python<'py>, types: &Types, event: Event, spent: &mut Spent) -> PyResult<Bound<'py, PyAny>> {
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
        Event::End { source, packets, error, offset, stretches } => {
            types.end.bind(py).call1((&*source, packets, error, offset, PyTuple::new(py, stretches)?))
        }
        event => types.encrypted.to_python(py, event, spent),
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

type OpeningArgs = (u8, usize, Pattern, i64);
type WaitingArgs = (u8, usize, Pattern, i64, usize, Vec<Pattern>, Vec<u8>);

/// An opening as Python has it: what most have, or all of it.
#[derive(FromPyObject)]
enum OpeningTuple {
    Plain(OpeningArgs),
    Whole(WaitingArgs),
}

impl From<OpeningTuple> for Opening {
    fn from(tuple: OpeningTuple) -> Opening {
        let (proto, at, pattern, budget, most, answers, unless) = match tuple {
            OpeningTuple::Plain((proto, at, pattern, budget)) => (proto, at, pattern, budget, 0, vec![], vec![]),
            OpeningTuple::Whole(whole) => whole,
        };
        Opening { proto, at, pattern, budget, most, answers, unless }
    }
}

#[pyclass(frozen, module = "sensor._core")]
struct Tables {
    literals: Vec<Vec<u8>>,
    openings: Vec<Opening>,
    flights: Vec<(u32, u32)>,
    names: Option<Vec<Vec<u8>>>,
}

impl Tables {
    fn build(&self) -> PyResult<prefilter::Tables> {
        prefilter::Tables::new(self.literals.clone(), self.openings.clone(), self.flights.clone())
            .map(|tables| tables.with_names(self.names.clone()))
            .map_err(PyValueError::new_err)
    }
}

#[pymethods]
impl Tables {
    #[new]
    #[pyo3(signature = (literals, openings, flights = Vec::new(), names = None))]
    fn new(
        literals: Vec<Vec<u8>>,
        openings: Vec<OpeningTuple>,
        flights: Vec<(u32, u32)>,
        names: Option<Vec<Vec<u8>>>,
    ) -> PyResult<Tables> {
        let tables = Tables { literals, openings: openings.into_iter().map(Opening::from).collect(), flights, names };
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

/// What one poll leaves to the next: room for events, and boxes that go back.
#[derive(Default)]
struct Polled {
    events: Vec<Event>,
    spent: Spent,
}

#[pyclass(frozen, module = "sensor._core")]
struct Core {
    engine: Mutex<Engine>,
    polled: Mutex<Polled>,
}

impl Core {
    fn engine(&self) -> std::sync::MutexGuard<'_, Engine> {
        self.engine.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl Core {
    #[new]
    fn new(tables: &Tables, limits: &Limits) -> PyResult<Core> {
        let engine = Mutex::new(Engine::new(tables.build()?, &limits.0));
        Ok(Core { engine, polled: Mutex::default() })
    }

    #[pyo3(signature = (source, *, full = "wait", promiscuous = true, ring_bytes = 67_108_864, snaplen = 0,
        filter = Vec::new(), cpus = Vec::new()))]
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
        cpus: Vec<usize>,
    ) -> PyResult<()> {
        let options = Options { promiscuous, ring_bytes, snaplen, filter, cpus };
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
        let mut polled = std::mem::take(&mut *self.polled.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner));
        let timeout = Duration::from_millis(timeout_ms);
        py.detach(|| queue.pop_into(max_events, timeout, &mut polled.events)).map_err(PyRuntimeError::new_err)?;
        let types = types(py)?;
        let list = PyList::empty(py);
        for event in polled.events.drain(..) {
            list.append(to_python(py, types, event, &mut polled.spent)?)?;
        }
        queue.give_back(&mut polled.spent);
        *self.polled.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner) = polled;
        Ok(list)
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

    fn dismiss(&self, flow: u64) {
        self.engine().dismiss(flow);
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
