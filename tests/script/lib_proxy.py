# SPDX-License-Identifier: MIT
"""Reverse proxies in front of the daemon, with the lines that the README shows."""
import os
import re
import shutil
import socket
import subprocess
import tempfile

from lib_daemon import free_port
from lib_tap import Skip, check, wait_for

README = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'README.md')
NAME = 'torrents.example.org'

WHOLE = '''
daemon off;
master_process off;
pid {root}/pid;
error_log {root}/error.log;
events {{ }}
http {{
    access_log {root}/access.log;
    client_body_temp_path {root}/body;
    proxy_temp_path {root}/proxy;
    fastcgi_temp_path {root}/fastcgi;
    uwsgi_temp_path {root}/uwsgi;
    scgi_temp_path {root}/scgi;
{server}
}}
'''


def readme_lines(name):
    """The README's example of that name."""
    with open(README, encoding='utf-8') as f:
        found = re.search(rf'^```{name}\n(.*?)^```', f.read(), re.M | re.S)
    check(found, 'the README shows no lines for', name)
    return found.group(1)


def replaced(lines, *pairs):
    for old, new in pairs:
        check(old in lines, 'the README does not say', old)
        lines = lines.replace(old, new)
    return lines


def make_certificate(root):
    """cert.pem and key.pem there."""
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', f'/CN={NAME}',
                    '-addext', f'subjectAltName=DNS:{NAME}', '-keyout', f'{root}/key.pem',
                    '-out', f'{root}/cert.pem'], check=True, capture_output=True)


class Proxy:
    """A program in front of the daemon, at a port of its own; with Nginx(daemon) as n: ..."""

    def __init__(self, name, tls):
        self.binary = shutil.which(name) or shutil.which(name, path='/usr/sbin:/sbin')
        if self.binary is None:
            raise Skip(f'{name} is not installed')
        self.name, self.port, self.tls = name, free_port(), tls
        self.root = tempfile.mkdtemp(prefix=f'td-{name}-')
        make_certificate(self.root)
        self.process = None

    def configure(self, text):
        with open(f'{self.root}/conf', 'w', encoding='utf-8') as f:
            f.write(text)

    def url(self, path=''):
        return f'http{"s" if self.tls else ""}://{NAME}:{self.port}/torrents{path}'

    def __enter__(self):
        with open(f'{self.root}/out', 'wb') as out:
            self.process = subprocess.Popen([self.binary, *self.arguments()], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                            env={**os.environ, 'HOME': self.root})
        try:
            wait_for(self.is_up, f'{self.name} answers')
        except BaseException:
            self.__exit__()
            raise
        return self

    def is_up(self):
        with open(f'{self.root}/out', errors='replace', encoding='utf-8') as f:
            check(self.process.poll() is None, self.name, 'ended:', f.read())
        try:
            socket.create_connection(('127.0.0.1', self.port), timeout=5).close()
            return True
        except OSError:
            return False

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.root, ignore_errors=True)

    def curl(self, path, *arguments):
        """(status, body) of curl's request, which believes the certificate; `-i` has the headers before the body."""
        done = subprocess.run(['curl', '-sS', '--noproxy', '*', '--cacert', f'{self.root}/cert.pem', '--resolve',
                               f'{NAME}:{self.port}:127.0.0.1', '-w', '\n%{http_code}', *arguments, self.url(path)],
                              capture_output=True, check=False, timeout=60)
        body, _, status = done.stdout.rpartition(b'\n')
        check(done.returncode == 0, done.stderr)
        return int(status), body


class Nginx(Proxy):
    """tls=False: plain HTTP; token: it adds the token to every request; strips: it takes the path away; password: it asks
    for this one of `me`."""

    def __init__(self, daemon, token=None, tls=True, strips=True, password=None):
        super().__init__('nginx', tls)
        to = f'http://127.0.0.1:{daemon.api_port}'
        lines = replaced(readme_lines('nginx'), ('listen 443 ssl;', f'listen 127.0.0.1:{self.port}{" ssl" if tls else ""};'),
                         ('/etc/ssl/torrents.pem', f'{self.root}/cert.pem'), ('/etc/ssl/torrents.key', f'{self.root}/key.pem'),
                         ('http://127.0.0.1:8080;', f'{to}/;' if strips else f'{to};'))
        more = []
        if token is not None:
            more.append(f'proxy_set_header Authorization "Bearer {token}";')
            with open(README, encoding='utf-8') as f:
                check('proxy_set_header Authorization "Bearer ' in f.read(), 'the README does not say', more[0])
        if password is not None:
            with open(f'{self.root}/users', 'w', encoding='utf-8') as f:
                f.write(f'me:{{PLAIN}}{password}\n')
            more.append(f'auth_basic torrents; auth_basic_user_file {self.root}/users;')
        for line in more:
            lines = lines.replace('proxy_set_header Host', line + '\n        proxy_set_header Host')
        self.configure(WHOLE.format(root=self.root, server=lines))

    def arguments(self):
        return '-p', self.root, '-c', f'{self.root}/conf'

    def passed(self, *words):
        """Whether a request with all of these words has come."""
        with open(f'{self.root}/access.log', errors='replace', encoding='utf-8') as f:
            return any(all(w in line for w in words) for line in f)


class Caddy(Proxy):
    def __init__(self, daemon):
        super().__init__('caddy', True)
        lines = replaced(readme_lines('caddy'), (f'{NAME} {{', f'{NAME}:{self.port} {{\n    bind 127.0.0.1\n'
                                                 f'    tls {self.root}/cert.pem {self.root}/key.pem'),
                         ('127.0.0.1:8080', f'127.0.0.1:{daemon.api_port}'))
        self.configure(f'{{\n    admin off\n    auto_https disable_redirects\n    storage file_system {self.root}\n}}\n{lines}')

    def arguments(self):
        return 'run', '--adapter', 'caddyfile', '--config', f'{self.root}/conf'
