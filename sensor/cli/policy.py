"""`minewatch policy keys|publish|withdraw|show`: arguments and sentences. What a parcel is, and what a sensor does with
it, is `sensor/policy`'s."""

from __future__ import annotations

import argparse
import stat
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sensor.cli.frame import CommandError, exit_on, flag_overrides, load_configuration, os_reason, say
from sensor.cli.json_text import print_json
from sensor.model.exit_codes import CONFIG, OK, RUN_ERROR, USAGE
from sensor.model.text import printable
from sensor.model.time import minute_text, rfc3339_text

if TYPE_CHECKING:
    from sensor.daemon.configuration import Configuration
    from sensor.ledger.read.sensors import SensorSummary
    from sensor.model.policy import ParcelKind
    from sensor.policy.keys import PrivateKey, PublicKey
    from sensor.policy.settings import PolicySettings
    from sensor.policy.topic import HeldParcel, PolicyTopic

#: A version that a sensor speaks of is not proven: of one above it nothing is believed.
MOST_STATED = 1_000_000_000
MISSING = "policy: there is no section policy in the configuration: it names brokers and keys"


def run(options: argparse.Namespace) -> int:
    """One action. Raises CommandError."""
    if options.action == "keys":
        return _make_keys(options.to)
    settings = load_configuration(options, flag_overrides(options, "ledger"))
    if settings.policy is None:
        raise CommandError(CONFIG, MISSING)
    if options.action == "show":
        return _show(options, settings, settings.policy)
    return _publish(options, settings, settings.policy)


def _make_keys(path: Path) -> int:
    from sensor.policy.keys import KeyFileError, PrivateKey

    key = PrivateKey.generate()
    with exit_on(KeyFileError, code=RUN_ERROR):
        beside = key.write(path)
    print(f"{path}: the private key; whoever has it can change every sensor that believes it")
    print(f"{beside}: the public key, for policy.keys of each sensor and of the centre")
    print(key.public.text)
    return OK


def _publish(options: argparse.Namespace, settings: Configuration, policy: PolicySettings) -> int:
    """Check, sign, publish. Raises CommandError."""
    from sensor.policy.parcel import GROUP, SELECTION, seal
    from sensor.policy.refusal import ParcelError

    selection = tuple(options.sensor or ())
    if not GROUP.fullmatch(options.group) or not all(map(SELECTION.fullmatch, selection)):
        raise CommandError(
            USAGE, "policy: a group is lower-case letters, digits and -; a sensor its name, with * and ?"
        )
    key, keys = _keys(options.key, policy)
    given = _files(options.paths, policy.unpacked_bytes) if options.action == "publish" else {}
    _check(options.kind, given, options)
    files = {place.name: content for place, content in given.items()}
    topic = _topic(policy, keys)
    version = options.as_version or _next_version(options.kind, topic, settings)
    with exit_on(ParcelError, code=USAGE):
        made_ns = time.time_ns()
        body = seal(options.kind, version, made_ns, files, key, group=options.group, sensors=selection)
    if len(body) > policy.parcel_bytes or sum(map(len, files.values())) > policy.unpacked_bytes:
        raise CommandError(
            USAGE, f"policy: {len(body):,} bytes, unpacked {sum(map(len, files.values())):,}: more than policy allows"
        )
    _send(options, settings, topic, body, version)
    if options.json:
        print_json({"kind": options.kind, "version": version, "files": list(files), "bytes": len(body)})
        return OK
    whom = ", ".join(selection) or "all sensors"
    what = f"{len(files)} files, {len(body):,} bytes" if files else "withdrawn: what is installed counts again"
    print(f"{options.kind} {version} for {whom}: {what}; minewatch policy show says who has it")
    return OK


def _send(options: argparse.Namespace, settings: Configuration, topic: PolicyTopic, body: bytes, version: int) -> None:
    """Publish, with a row of the audit before and after it."""
    from sensor.cli.audited import audited
    from sensor.policy.topic import PolicyTopicError

    query = {"kind": options.kind, "version": version, "group": options.group, "sensors": list(options.sensor or ())}
    with (
        exit_on(PolicyTopicError, code=RUN_ERROR),
        audited(settings, f"policy.{options.action}", [f"policy:{options.kind}"], query, why=options.why) as change,
    ):
        topic.publish(options.kind, body, options.group)
        change.after = {"version": version}


def _keys(path: Path, policy: PolicySettings) -> tuple[PrivateKey, Mapping[bytes, PublicKey]]:
    """The private key, and those that sensors believe. Raises CommandError."""
    from sensor.policy.keys import KeyFileError, PrivateKey, read_publics

    with exit_on(KeyFileError, code=CONFIG):
        key, keys = PrivateKey.read(path), read_publics(policy.keys)
    if key.public.key_id not in keys:
        raise CommandError(CONFIG, f"policy: the public key of {path} is not in policy.keys: {key.public.text}")
    return key, keys


def _files(paths: Sequence[Path], most_bytes: int) -> dict[Path, bytes]:
    """The files that were given, each with a name of its own; of a folder those in it. No more than so many bytes are
    read. Raises CommandError."""
    from sensor.policy.parcel import FILE_NAME, MOST_FILES

    found: dict[Path, bytes] = {}
    names = set[str]()
    places = [place for path in paths for place in _places(path)]
    if not places:  # a parcel without files is a withdrawal
        raise CommandError(
            USAGE, "policy: there is no file to publish; minewatch policy withdraw takes back what was published"
        )
    if len(places) > MOST_FILES:
        raise CommandError(USAGE, f"policy: {len(places)} files; {MOST_FILES} are the most")
    for place in places:
        if not FILE_NAME.fullmatch(place.name) or place.name.lower() in names:
            raise CommandError(USAGE, f"{place}: needs a name of its own, of letters, digits and . _ -")
        try:
            with place.open("rb") as file:
                found[place] = file.read(most_bytes + 1)
        except OSError as error:
            raise CommandError(RUN_ERROR, f"{place}: {os_reason(error)}") from None
        names.add(place.name.lower())
        most_bytes -= len(found[place])
        if most_bytes < 0:
            raise CommandError(USAGE, f"{place}: with it there are more bytes than policy.unpacked_bytes allows")
    return found


def _places(path: Path) -> list[Path]:
    """A file, or those of a folder. Raises CommandError."""
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            return sorted(path.iterdir())
    except OSError as error:
        raise CommandError(RUN_ERROR, f"{path}: {os_reason(error)}") from None
    if not stat.S_ISREG(mode):
        raise CommandError(RUN_ERROR, f"{path}: is neither a file nor a folder")
    return [path]


def _check(kind: ParcelKind, given: Mapping[Path, bytes], options: argparse.Namespace) -> None:
    """What a sensor would say of these files, over the configuration of this host. Raises CommandError, which names
    them as they were given."""
    from sensor.daemon.setup import ConfigurationSource, load_setup
    from sensor.policy.layer import ParcelLayer, UnpackedParcel, check_content
    from sensor.policy.refusal import ParcelError
    from sensor.settings.document import ConfigError

    with tempfile.TemporaryDirectory(prefix="minewatch-policy-") as scratch:
        files = {place.name: content for place, content in given.items()}
        parcel = UnpackedParcel(kind, 0, Path(scratch), tuple(files))
        for name, content in files.items():
            (parcel.folder / name).write_bytes(content)
        overrides = [*options.overrides, *flag_overrides(options, "ledger")]
        try:
            check_content(kind, files)
            load_setup(ConfigurationSource(options.config, overrides, (ParcelLayer([parcel]),)))
        except ParcelError as error:
            raise CommandError(CONFIG, _as_given(str(error), "", given)) from None
        except ConfigError as error:
            problems = [_as_given(problem, f"{parcel.label}: ", given) for problem in error.problems]
            raise CommandError(CONFIG, *problems) from None


def _as_given(sentence: str, label: str, given: Iterable[Path]) -> str:
    """A sentence with the files in it as they were given, which stand there by a label and their names."""
    for place in sorted(given, key=lambda place: len(place.name), reverse=True):
        if label:
            sentence = sentence.replace(f"{label}{place.name}", str(place))
        elif sentence.startswith(f"{place.name}: "):
            return f"{place}{sentence.removeprefix(place.name)}"
    return sentence


def _topic(policy: PolicySettings, keys: Mapping[bytes, PublicKey]) -> PolicyTopic:
    from exporters.destination import Unusable
    from sensor.policy.topic import PolicyTopic, PolicyTopicError

    with exit_on(Unusable, code=CONFIG):
        topic = PolicyTopic(policy, keys)
    with exit_on(PolicyTopicError, code=RUN_ERROR):
        note = topic.create()
    if note is not None:
        say(note)
    return topic


def _next_version(kind: str, topic: PolicyTopic, settings: Configuration) -> int:
    """One more than any that stands in the topic, or that a sensor spoke of."""
    from sensor.policy.topic import PolicyTopicError

    with exit_on(PolicyTopicError, code=RUN_ERROR):
        held = [parcel.header.version for parcel in topic.held() if parcel.header and parcel.header.kind == kind]
    stated = {
        state.version: sensor.sensor_id
        for sensor in _sensors(settings)
        for state in sensor.policies
        if state.kind == kind
    }
    taken = [version for version in stated if version <= MOST_STATED]
    if len(taken) < len(stated):  # after it nothing could be published any more
        highest = max(stated)
        say(f"policy: {stated[highest]} speaks of {kind} {highest}, which nobody can have published; that is left out")
    return max([0, *held, *taken]) + 1


def _sensors(settings: Configuration) -> list[SensorSummary]:
    """The sensors of the ledger; none where there is no ledger yet."""
    from sensor.ledger import Ledger, LedgerError
    from sensor.ledger.store.database import exists

    if not exists(settings.ledger.url):
        return []
    with exit_on(LedgerError, code=RUN_ERROR):
        ledger = Ledger.open_to_read(settings.ledger.url)
        try:
            return ledger.reader.sensors()
        finally:
            ledger.close()


def _show(options: argparse.Namespace, settings: Configuration, policy: PolicySettings) -> int:
    from exporters.destination import Unusable
    from sensor.policy.keys import KeyFileError, read_publics
    from sensor.policy.topic import PolicyTopic, PolicyTopicError

    with exit_on(KeyFileError, Unusable, code=CONFIG):
        topic = PolicyTopic(policy, read_publics(policy.keys))
    with exit_on(PolicyTopicError, code=RUN_ERROR):
        held = topic.held()
    sensors = [sensor for sensor in _sensors(settings) if sensor.retired_ns is None]
    if options.json:
        parcels = {"parcels": [*map(_parcel_object, held)], "left_out": topic.left_out}
        print_json({"topic": topic.name, **parcels, "sensors": _sensor_objects(sensors)})
        return OK
    for line in (*_parcel_lines(held, topic.left_out, settings), *_sensor_lines(held, sensors)):
        print(line)
    return OK


def _parcel_object(parcel: HeldParcel) -> dict[str, Any]:
    header = parcel.header
    shown: dict[str, Any] = {"key": printable(parcel.key, "·"), "bytes": parcel.size_bytes, "trouble": parcel.trouble}
    if header is not None:
        shown |= {"kind": header.kind, "version": header.version, "group": header.group, "sha256": parcel.sha256}
        shown |= {"made": rfc3339_text(header.made_ns), "sensors": list(header.sensors)}
        shown["files"] = [{"name": name, "bytes": size} for name, size in header.files]
    return shown


def _sensor_objects(sensors: Sequence[SensorSummary]) -> list[dict[str, Any]]:
    return [
        {"sensor_id": sensor.sensor_id, "policies": [asdict(state) for state in sensor.policies]} for sensor in sensors
    ]


def _parcel_lines(held: Sequence[HeldParcel], left_out: int, settings: Configuration) -> list[str]:
    lines = []
    for parcel in held:
        header = parcel.header
        if header is None:
            lines.append(f"{printable(parcel.key[:80], '·')}: no sensor takes it: {parcel.trouble}")
            continue
        whom = ", ".join(header.sensors) or "all sensors"
        what = f"{len(header.files)} files, {parcel.size_bytes:,} bytes" if header.files else "withdrawn"
        day = minute_text(header.made_ns, settings.ledger.zone)
        lines.append(f"{parcel.key} {header.version} of {day} for {whom}: {what}")
    if left_out:
        lines.append(f"{left_out:,} more messages that no sensor takes are not listed")
    return lines or ["the topic holds no parcel"]


def _sensor_lines(held: Sequence[HeldParcel], sensors: Sequence[SensorSummary]) -> list[str]:
    """How many sensors have each parcel; those by name that refused one, or have another."""
    lines = []
    for parcel in held:
        header = parcel.header
        if header is None:
            continue
        meant = [sensor for sensor in sensors if header.selects(sensor.sensor_id)]
        its = {sensor.sensor_id: [state for state in sensor.policies if state.kind == header.kind] for sensor in meant}
        having = [name for name, states in its.items() if any(_has(state, parcel) for state in states)]
        lines.append(f"{parcel.key} {header.version}: {len(having)} of {len(meant)} sensors have it")
        for name, states in its.items():
            for state in states:
                if state.state == "refused":
                    lines.append(
                        f"  {name}: {state.kind} {state.version or '?'} refused: {printable(state.reason or '')}"
                    )
                elif name not in having:
                    lines.append(f"  {name}: {state.kind} {state.version} {state.state.replace('_', ' ')}")
            if not states:
                lines.append(f"  {name}: has said nothing of {header.kind}")
    return lines


def _has(state: Any, parcel: HeldParcel) -> bool:
    return bool(state.state != "refused" and state.sha256 == parcel.sha256)
