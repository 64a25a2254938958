# SPDX-License-Identifier: MIT
"""A small network of its own: hosts joined by a bridge, each a network namespace with one IPv4 and one IPv6 address.

The test program moves itself into a network, a mount and a process namespace first, as a plain user with the help of a user
namespace.  No namespace has a name and every process is below the test, so that nothing can be left behind: when the
test ends, in whatever way, the kernel ends the processes and removes the network.
"""
import ctypes
import ipaddress
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

CLONE_NEWNET = 0x40000000
INSIDE = 'INTEROP_INSIDE'
HUB = 254

_libc = ctypes.CDLL(None, use_errno=True)


class Failure(Exception):
    """What was expected and did not come."""


def _call(function, *arguments):
    if getattr(_libc, function)(*arguments) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f'{function}: {os.strerror(error)}')


def enter():
    """Runs this program again inside the namespaces; returns there, or a reason here when that is not allowed."""
    if os.environ.get(INSIDE):
        return None
    if shutil.which('unshare') is None or shutil.which('ip') is None:
        return 'unshare (util-linux) and ip (iproute2) are needed'
    kind = 'root' if os.geteuid() == 0 else 'user'
    user = [] if kind == 'root' else ['--user', '--map-root-user']
    for proc in (['--mount-proc'], []):  # not every container allows a /proc of one's own, and we can do without
        argv = ['unshare', *user, '--net', '--mount', '--pid', '--fork', '--kill-child', *proc]
        trial = subprocess.run(argv + ['ip', 'link', 'add', 'br0', 'type', 'bridge'], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if trial.returncode == 0:
            sys.stdout.flush()
            os.execvpe(argv[0], argv + [sys.executable] + sys.argv, dict(os.environ, **{INSIDE: kind}))
    return f'no network namespace can be made here: {trial.stdout.strip() or trial.returncode}'


def in_user_namespace():
    return os.environ.get(INSIDE) == 'user'


def poll(condition, timeout, what):
    """Waits until condition() is true and returns what it gave; refused connections count as not yet."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            value = condition()
        except (ConnectionError, socket.timeout, EOFError):
            value = None
        if value:
            return value
        if time.monotonic() > deadline:
            raise Failure(f'{what}: not within {timeout} s')
        time.sleep(0.02)


def ip_batch(lines):
    done = subprocess.run(['ip', '-batch', '-'], input='\n'.join(lines) + '\n', text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, close_fds=False)
    if done.returncode != 0:
        raise Failure(f'ip: {done.stdout.strip()}')


class Host:
    """One machine of the network: an address of each kind, and the processes that run there."""

    def __init__(self, lab, number):
        self.lab, self.number = lab, number
        self.ip4, self.ip6 = f'10.77.0.{number}', f'fd77::{number:x}'
        self.folder = os.path.join(lab.folder, f'host{number}')
        os.mkdir(self.folder)
        _call('unshare', CLONE_NEWNET)
        try:
            self.fd = os.open('/proc/thread-self/ns/net', os.O_RDONLY)
        finally:
            _call('setns', lab.hub, CLONE_NEWNET)
        os.set_inheritable(self.fd, True)
        self.plug(f'h{number}')

    def plug(self, port):
        ip_batch([f'link add {port} type veth peer name eth0 netns /proc/self/fd/{self.fd}',
                  f'link set {port} master br0 up'])
        with self:
            ip_batch(['link set lo up', 'link set eth0 up',
                      f'addr add {self.ip4}/24 dev eth0',
                      f'addr add {self.ip6}/64 dev eth0 nodad',
                      f'route add default via 10.77.0.{HUB}',
                      f'route add default via fd77::{HUB:x}'])
            poll(self.has_ip6, 5, 'the IPv6 address is up')

    def has_ip6(self):
        """The kernel makes the local route of a new IPv6 address a moment later."""
        wanted = ipaddress.ip_address(self.ip6).packed.hex() + ' 80 '
        with open('/proc/thread-self/net/ipv6_route', encoding='ascii') as routes:
            return any(line.startswith(wanted) for line in routes)

    def __enter__(self):
        _call('setns', self.fd, CLONE_NEWNET)

    def __exit__(self, *_):
        _call('setns', self.lab.hub, CLONE_NEWNET)

    def spawn(self, argv, log, env=None, **more):
        """Starts a process on this host; what it prints goes to the file log unless pipes are asked for."""
        fd, path = self.fd, os.path.join(self.folder, log)
        with open(path, 'ab') as output:
            more = {'stdin': subprocess.DEVNULL, 'stdout': output, **more}
            process = subprocess.Popen(
                argv, stderr=output, env=dict(os.environ, HOME=self.folder, **(env or {})),
                cwd=self.folder, start_new_session=True, preexec_fn=lambda: _call('setns', fd, CLONE_NEWNET),
                **more)
        self.lab.processes.append((process, os.path.basename(argv[0]), path))
        return process

    def connect(self, port, address='127.0.0.1', timeout=10):
        """A TCP connection made from this host, as seen there."""
        with self:
            return socket.create_connection((address, port), timeout=timeout)


class Lab:
    """The hub and its hosts, for one case."""

    count = 0  # hosts ever made: a network that goes away takes its time, so no number comes twice

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix='interop-')
        os.chmod(self.folder, 0o755)
        self.payload = self.folder
        self.hub = os.open('/proc/thread-self/ns/net', os.O_RDONLY)
        self.processes, self.hosts = [], []

    @staticmethod
    def raise_hub():
        ip_batch(['link set lo up', 'link add br0 type bridge mcast_snooping 0', 'link set br0 up',
                  f'addr add 10.77.0.{HUB}/24 dev br0', f'addr add fd77::{HUB:x}/64 dev br0 nodad'])

    def host(self):
        Lab.count += 1
        self.hosts.append(Host(self, Lab.count))
        return self.hosts[-1]

    def use_memory(self, size):
        """Puts what place() makes into memory; it goes away with the last process, whatever happens."""
        self.payload = os.path.join(self.folder, 'memory')
        os.mkdir(self.payload)
        subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size={size}', 'tmpfs', self.payload], check=True)

    def place(self, name):
        """A new folder of the case."""
        path = os.path.join(self.payload, name)
        os.makedirs(path)
        return path

    def tails(self, lines=25):
        """The last lines of every process, for a person who looks for the reason of a failure."""
        last = {path: (process, name) for process, name, path in self.processes}
        for path, (process, name) in last.items():
            yield f'--- {name} ({"running" if process.poll() is None else f"ended: {process.returncode}"}) {path}'
            try:
                with open(path, 'rb') as log:
                    yield from log.read().decode('utf-8', 'replace').splitlines()[-lines:]
            except OSError as error:  # the reason of the failure is worth more than the log
                yield str(error)

    def close(self):
        for process, _, _ in self.processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
        for process, _, _ in self.processes:
            process.wait()
        for host in self.hosts:
            os.close(host.fd)
        os.close(self.hub)
        if os.environ.get('INTEROP_KEEP') is None:
            if self.payload != self.folder:
                subprocess.run(['umount', '--lazy', self.payload], check=False)
            shutil.rmtree(self.folder, ignore_errors=True)
