# SPDX-License-Identifier: MIT
"""A small network of its own: hosts joined by a bridge, each a network namespace with one IPv4 and one IPv6 address."""
import ipaddress
import os
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'lib'))
import netns  # noqa: E402: the path to it comes first
from patience import Failure, poll  # noqa: E402, F401: for all who have us

INSIDE = 'INTEROP_INSIDE'
HUB = 254


def enter():
    """Runs this program again inside the namespaces; returns there, or a reason here when that is not allowed."""
    return netns.enter(INSIDE)


def in_user_namespace():
    return os.environ.get(INSIDE) == 'user'


class Host(netns.Namespace):
    """One machine of the network: an address of each kind, and the processes that run there."""

    def __init__(self, lab, number):
        self.lab, self.number = lab, number
        self.ip4, self.ip6 = f'10.77.0.{number}', f'fd77::{number:x}'
        self.folder = os.path.join(lab.folder, f'host{number}')
        os.mkdir(self.folder)
        super().__init__()
        self.plug(f'h{number}')
        with self:
            netns.ip_batch([f'addr add {self.ip4}/24 dev eth0',
                            f'addr add {self.ip6}/64 dev eth0 nodad',
                            f'route add default via 10.77.0.{HUB}',
                            f'route add default via fd77::{HUB:x}'])
            poll(self.has_ip6, 5, 'the IPv6 address is up')

    def has_ip6(self):
        """The kernel makes the local route of a new IPv6 address a moment later."""
        wanted = ipaddress.ip_address(self.ip6).packed.hex() + ' 80 '
        with open('/proc/thread-self/net/ipv6_route', encoding='ascii') as routes:
            return any(line.startswith(wanted) for line in routes)

    def spawn(self, argv, log, env=None, **more):
        """Starts a process on this host; what it prints goes to the file log unless pipes are asked for."""
        path = os.path.join(self.folder, log)
        with open(path, 'ab') as output:
            more = {'stdin': subprocess.DEVNULL, 'stdout': output, **more}
            process = subprocess.Popen(
                argv, stderr=output, env=dict(os.environ, HOME=self.folder, **(env or {})),
                cwd=self.folder, start_new_session=True, preexec_fn=self.join, **more)
        self.lab.processes.append((process, os.path.basename(argv[0]), path))
        return process


class Lab:
    """The hub and its hosts, for one case."""

    count = 0  # hosts ever made: a network that goes away takes its time, so no number comes twice

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix='interop-')
        os.chmod(self.folder, 0o755)
        self.payload = self.folder
        self.processes, self.hosts = [], []

    @staticmethod
    def raise_hub():
        netns.ip_batch(['link set lo up', 'link add br0 type bridge mcast_snooping 0', 'link set br0 up',
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
            host.close()
        if os.environ.get('INTEROP_KEEP') is None:
            if self.payload != self.folder:
                subprocess.run(['umount', '--lazy', self.payload], check=False)
            shutil.rmtree(self.folder, ignore_errors=True)
