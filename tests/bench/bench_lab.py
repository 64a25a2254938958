# SPDX-License-Identifier: MIT
"""Where the benches run: a network of their own, folders, processes, the kernel's accounts of them, a tracker.

The program moves itself into namespaces of its own (netns.py).  Every address of 10.78.0.0/16 is its own and reached
over the loopback device, and so is /dev/shm: when the program ends, in whatever way, the kernel ends all processes below
it and frees what they had in memory.  What was on the disk goes at the next start at the latest.
"""
import fcntl
import http.server
import json
import mmap
import os
import shutil
import signal
import struct
import subprocess
import sys
import threading
import time
import urllib.parse

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, 'tests/lib'))
from netns import Namespace, enter as enter_namespaces, ip_batch  # noqa: E402: the path to it comes first
from patience import Failure, poll  # noqa: E402

INSIDE = 'BENCH_INSIDE'
TICK = os.sysconf('SC_CLK_TCK')
HERE = '10.78.0.1'
TRACKER_PORT = 8000
MIB, GIB = 1 << 20, 1 << 30


def enter():
    """Runs this program again inside the namespaces; returns there, or dies with the reason."""
    why = enter_namespaces(INSIDE, 'TERM')
    if why is None and os.readlink('/proc/self') != str(os.getpid()):
        why = 'no /proc of its own can be mounted here'
    if why is not None:
        sys.exit(f'bench: {why}; as root it can be done')
    ip_batch(['link set lo up', f'addr add {HERE}/16 dev lo'])
    sh('mount', '-t', 'tmpfs', '-o', 'size=90%', 'tmpfs', '/dev/shm')


def sh(*argv, **more):
    """Runs a program to its end and returns what it printed."""
    done = subprocess.run(argv, check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          stdin=subprocess.DEVNULL, **more)
    if done.returncode != 0:
        raise Failure(f'{argv[0]} ended with {done.returncode}: {done.stdout.strip()[-300:]}')
    return done.stdout


def cpu_seconds(pid):
    """(user, system) of a process with all its threads, the ended ones too, from the kernel's account."""
    with open(f'/proc/{pid}/stat', encoding='ascii') as file:
        fields = file.read().rpartition(')')[2].split()
    return int(fields[11]) / TICK, int(fields[12]) / TICK


def steal_seconds():
    """(stolen, all) CPU time of the machine."""
    with open('/proc/stat', encoding='ascii') as file:
        fields = [int(f) for f in file.readline().split()[1:9]]
    return fields[7] / TICK, sum(fields) / TICK


def private_memory(pid):
    """Bytes of memory that belong to the process alone."""
    with open(f'/proc/{pid}/smaps_rollup', encoding='ascii') as file:
        return 1024 * sum(int(line.split()[1]) for line in file if line.startswith(('Private_', 'Swap:')))


def free_memory():
    """Bytes that may be put into memory without pushing anything out."""
    with open('/proc/meminfo', encoding='ascii') as file:
        return next(1024 * int(line.split()[1]) for line in file if line.startswith('MemAvailable:'))


def switches(pid):
    """{thread: (times it waited and was woken, times it was sent off the core)}, by the kernel's account."""
    found = {}
    for task in os.listdir(f'/proc/{pid}/task'):
        with open(f'/proc/{pid}/task/{task}/status', encoding='ascii', errors='replace') as file:
            fields = dict(line.rstrip('\n').split(':\t', 1) for line in file if ':\t' in line)
        waits, pushed = found.get(fields['Name'], (0, 0))
        found[fields['Name']] = (waits + int(fields['voluntary_ctxt_switches']),
                                 pushed + int(fields['nonvoluntary_ctxt_switches']))
    return found


class Clock:
    """Wall time, CPU time and wake-ups of one process and steal of the machine between two moments."""

    def __init__(self, pid):
        self.pid = pid
        self.woken = switches(pid)
        self.steal, self.cpu, self.began = steal_seconds(), cpu_seconds(pid), time.monotonic()

    def wakeups(self):
        """{thread: times it was woken}"""
        return {name: waits - self.woken.get(name, (0, 0))[0] for name, (waits, _) in switches(self.pid).items()}

    def stop(self):
        ended, cpu, steal = time.monotonic(), cpu_seconds(self.pid), steal_seconds()
        whole = max(steal[1] - self.steal[1], 1e-9)
        return {'woken': self.wakeups(), 'wall': ended - self.began, 'user': cpu[0] - self.cpu[0], 'sys': cpu[1] - self.cpu[1],
                'cpu': sum(cpu) - sum(self.cpu), 'steal': (steal[0] - self.steal[0]) / whole}


class Process:
    """A program of the bench in a process group of its own; its output goes to a file."""

    def __init__(self, argv, folder, log, env=None, space=None, **more):
        self.name, self.log = os.path.basename(argv[0]), os.path.join(folder, log)

        with open(self.log, 'ab') as output:
            self.popen = subprocess.Popen(argv, cwd=folder, start_new_session=True,
                                          preexec_fn=None if space is None else space.join,
                                          env=dict(os.environ, HOME=folder, TERM='xterm', **(env or {})),
                                          **{'stdin': subprocess.DEVNULL, 'stdout': output, 'stderr': output, **more})
        self.pid = self.popen.pid

    def check(self):
        if self.popen.poll() is not None:
            raise Failure(f'{self.name} ended with {self.popen.returncode}: {self.tail()}')

    def tail(self):
        with open(self.log, 'rb') as file:
            return ' | '.join(file.read()[-400:].decode('utf-8', 'replace').split('\n')[-4:])

    def end(self, sign=signal.SIGTERM, patience=5):
        if self.popen.poll() is None:
            self.popen.send_signal(sign)
            try:
                self.popen.wait(patience)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()


class Stats:
    """The counters that a load generator keeps in a file (generator.h)."""

    NAMES = ('bytes', 'first', 'last', 'connected', 'finished', 'checked', 'wrong', 'errors')

    def __init__(self, path):
        self.path, self.map = path, None

    def __getattr__(self, name):
        if self.map is None:
            with open(self.path, 'rb') as file:
                self.map = mmap.mmap(file.fileno(), 8 * len(self.NAMES), access=mmap.ACCESS_READ)
        return struct.unpack_from('Q', self.map, 8 * self.NAMES.index(name))[0]

    def seconds(self):
        return (self.last - self.first) / 1e9


class Torrent:
    """One file of random bytes and its metainfo.  Bytes are only as random as it needs to make every piece differ."""

    def __init__(self, folder, name, size, announce, piece_length=MIB):
        import hashlib
        self.folder, self.name, self.size, self.piece_length = folder, name, size, piece_length
        self.path = os.path.join(folder, name)
        noise = memoryview(os.urandom(4 * MIB) * 2)
        hashes = []
        with open(self.path, 'wb', buffering=0) as file:
            for at in range(0, size, piece_length):
                turn = at // piece_length
                piece = b'%016d' % turn + noise[turn * 4099 % (4 * MIB):][:piece_length - 16]
                piece = piece[:size - at]
                file.write(piece)
                hashes.append(hashlib.sha1(piece).digest())
        info = b'd6:lengthi%de4:name%d:%s12:piece lengthi%de6:pieces%d:%se' % (
            size, len(name), name.encode(), piece_length, 20 * len(hashes), b''.join(hashes))
        self.infohash = hashlib.sha1(info).hexdigest()
        self.pieces = len(hashes)
        self.metainfo = b'd8:announce%d:%s4:info%se' % (len(announce), announce.encode(), info)

    def generator(self):
        return [self.path, str(self.piece_length), self.infohash]

    def same(self, path):
        """Whether a file has the payload, byte by byte."""
        if not os.path.isfile(path) or os.path.getsize(path) != self.size:
            return False
        with open(self.path, 'rb') as mine, open(path, 'rb') as theirs:
            while data := mine.read(4 * MIB):
                if theirs.read(4 * MIB) != data:
                    return False
        return True


class Tracker:
    """An HTTP tracker (BEP 3, 23).  It gives out fixed peers, or everybody who announced; ports tell clients apart."""

    def __init__(self):
        self.fixed, self.known, self.lock = [], {}, threading.Lock()
        tracker = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def do_GET(self):
                data = tracker.answer(self.path, self.client_address[0])
                self.send_response(200)
                self.send_header('Content-Length', str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads, request_queue_size = True, 128

            def handle_error(self, *_):
                """A client that was ended does not wait for its answer."""

        self.server = Server(('0.0.0.0', TRACKER_PORT), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @staticmethod
    def url(host=HERE):
        return f'http://{host}:{TRACKER_PORT}/announce'

    def answer(self, path, address):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(path).query, encoding='latin-1')
        with self.lock:
            if self.fixed is None:
                self.known[(address, int(query['port'][0]))] = True
                peers = [p for p in self.known if p[0] != address]
            else:
                peers = self.fixed
        compact = b''.join(bytes(map(int, a.split('.'))) + struct.pack('>H', p) for a, p in peers)
        return b'd8:completei%de10:incompletei1e8:intervali1800e5:peers%d:%se' % (
            len(peers), len(compact), compact)

    def give(self, peers):
        """Peers to hand out; None: those who announce."""
        with self.lock:
            self.fixed, self.known = peers, {}


class Space(Namespace):
    """A host of its own for one client, joined to the others by a bridge.

    size: of its packets; the swarm's are as large as can be, a paced line has those of an Ethernet.
    """

    HUB, LARGE, ETHERNET = '10.79.0.254', 'mtu 65535', 'mtu 1500'
    count, hub = 0, False

    @classmethod
    def raise_hub(cls):
        if not cls.hub:
            ip_batch(['link add br0 type bridge mcast_snooping 0', f'link set br0 {cls.LARGE} up',
                      f'addr add {cls.HUB}/16 dev br0'])
            cls.hub = True

    def __init__(self, size=LARGE):
        super().__init__()
        Space.raise_hub()
        Space.count += 1
        self.ip = f'10.79.0.{Space.count}'
        self.plug(f'h{Space.count}', size)
        with self:
            ip_batch([f'addr add {self.ip}/16 dev eth0', f'route add default via {self.HUB}'])

    def addresses(self, block, n):
        """n addresses more of this host: 10.79.BLOCK.1 and on."""
        found = [f'10.79.{block}.{i + 1}' for i in range(n)]
        with self:
            ip_batch([f'addr add {ip}/16 dev eth0' for ip in found])
        return found

    def pace(self, mbit):
        """Lets no more than so much leave this host; 0: no limit.  A queue of 20 ms stands before the line."""
        with self:
            if mbit == 0:
                subprocess.run(['tc', 'qdisc', 'del', 'dev', 'eth0', 'root'], check=False, stderr=subprocess.DEVNULL)
            else:
                sh('tc', 'qdisc', 'replace', 'dev', 'eth0', 'root', 'tbf', 'rate', f'{mbit}mbit', 'burst',
                   f'{max(32, mbit // 4)}kb', 'latency', '20ms')


class Lab:
    """Folders and programs of one run of the bench."""

    def __init__(self, out):
        self.out, self.programs = out, {}
        for name in ('blast', 'sink', 'floor', 'b_picker', 'count.so'):
            self.programs[name] = os.path.join(ROOT, out, 'tests/bench', name)
        self.daemon = os.path.join(ROOT, out, 'torrentd')
        for program in [self.daemon, *self.programs.values()]:
            if not os.path.exists(program):
                raise Failure(f'{program} is not built; `make bench` builds it')
        self.memory, self.disk = '/dev/shm', os.path.join(ROOT, out, 'bench-disk')
        self.lock = open(self.disk + '.lock', 'w', encoding='ascii')
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Failure('another bench is running') from None
        shutil.rmtree(self.disk, ignore_errors=True)
        os.mkdir(self.disk)
        self.torrents, self.number = {}, 0
        self.tracker, self.running = Tracker(), []

    def folder(self, storage='tmpfs'):
        """A new folder on one kind of storage."""
        self.number += 1
        path = os.path.join(self.disk if storage == 'disk' else self.memory, f'run{self.number}')
        os.mkdir(path)
        return path

    def warm_memory(self, size):
        """
        Has the machine own so much free memory.

        A guest may give memory that lies free for seconds back to its host, and get it again as it is touched, in the
        account of whoever does: a plain write of a GiB took 0.2 CPU seconds and, after six seconds of rest, 0.65.
        """
        path = os.path.join(self.memory, 'warm')
        with open(path, 'wb') as file:
            os.posix_fallocate(file.fileno(), 0, size)
        os.unlink(path)

    def torrent(self, size, announce=None):
        """The payload of that size, made once."""
        announce = announce or Tracker.url()
        key = size, announce
        if key not in self.torrents:
            free = free_memory()
            if free < 3 * size:
                raise Failure(f'{free >> 20} MiB of memory are free, {3 * size >> 20} are needed')
            folder = os.path.join(self.memory, f'payload{len(self.torrents)}')
            os.mkdir(folder)
            self.torrents[key] = Torrent(folder, f'payload-{size >> 20}', size, announce)
        return self.torrents[key]

    def start(self, argv, folder, log, **more):
        process = Process(argv, folder, log, **more)
        self.running.append(process)
        return process

    def blast(self, torrent, addresses, folder, space=None):
        stats = os.path.join(folder, 'blast.stats')
        process = self.start([self.programs['blast'], *torrent.generator(), stats, *addresses], folder, 'blast.log',
                             space=space)
        poll(lambda: os.path.exists(stats) and os.path.getsize(stats) > 0, 20, 'blast listens')
        process.stats = Stats(stats)
        time.sleep(0.1)
        process.check()
        return process

    def sink(self, torrent, target, count, size, folder, depth=250, check=64, source='10.78.16.1', space=None):
        stats = os.path.join(folder, f'sink{self.number}.stats')
        self.number += 1
        process = self.start([self.programs['sink'], *torrent.generator(), stats, target, f'{source}:0', str(count),
                              str(size), str(depth), str(check)], folder, 'sink.log', space=space)
        process.stats = Stats(stats)
        return process

    def end(self, process, **more):
        process.end(**more)
        if process in self.running:
            self.running.remove(process)

    def close(self):
        for process in self.running:
            process.end(signal.SIGKILL)
        shutil.rmtree(self.disk, ignore_errors=True)


def machine():
    """What the figures were measured on."""
    def first(path, start):
        with open(path, encoding='ascii') as file:
            return next((line.partition(':')[2].strip() for line in file if line.startswith(start)), '?')
    with open('/etc/os-release', encoding='utf-8') as file:
        system = dict(line.strip().split('=', 1) for line in file if '=' in line).get('PRETTY_NAME', '?').strip('"')
    flags = first('/proc/cpuinfo', 'flags').split()
    return {'cpu': first('/proc/cpuinfo', 'model name'), 'cores': os.cpu_count(),
            'sha_extensions': 'sha_ni' in flags, 'memory': first('/proc/meminfo', 'MemTotal'),
            'kernel': os.uname().release, 'system': system}


def package_version(package):
    try:
        return sh('dpkg-query', '-W', '-f', '${Version}', package)
    except (Failure, FileNotFoundError):
        return None


def lines_of_json(text):
    return [json.loads(line) for line in text.splitlines() if line.startswith('{')]
