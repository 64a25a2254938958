# SPDX-License-Identifier: MIT
"""nginx in front of the daemon, with the lines that the README shows."""
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


def readme_lines():
    with open(README, encoding='utf-8') as f:
        found = re.search(r'^```nginx\n(.*?)^```', f.read(), re.M | re.S)
    check(found, 'the README shows no nginx lines')
    return found.group(1)


class Nginx:
    """with Nginx(daemon) as n: ... ; tls=False: plain HTTP; token: it adds the token to every request."""

    def __init__(self, daemon, token=None, tls=True):
        self.binary = shutil.which('nginx') or shutil.which('nginx', path='/usr/sbin:/sbin')
        if self.binary is None:
            raise Skip('nginx is not installed')
        self.port, self.tls = free_port(), tls
        self.root = tempfile.mkdtemp(prefix='td-nginx-')
        lines = readme_lines()
        for old, new in (('listen 443 ssl;', f'listen 127.0.0.1:{self.port}{" ssl" if tls else ""};'),
                         ('/etc/ssl/torrents.pem', f'{self.root}/cert.pem'),
                         ('/etc/ssl/torrents.key', f'{self.root}/key.pem'),
                         ('http://127.0.0.1:8080/', f'http://127.0.0.1:{daemon.api_port}/')):
            check(old in lines, 'the README does not say', old)
            lines = lines.replace(old, new)
        if token is not None:
            adds = f'proxy_set_header Authorization "Bearer {token}";'
            with open(README, encoding='utf-8') as f:
                check(re.sub('Bearer .*"', 'Bearer X"', adds) in re.sub('Bearer [^"]*"', 'Bearer X"', f.read()),
                      'the README does not say', adds)
            lines = lines.replace('proxy_set_header Host', adds + '\n        proxy_set_header Host')
        with open(f'{self.root}/nginx.conf', 'w', encoding='utf-8') as f:
            f.write(WHOLE.format(root=self.root, server=lines))
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', f'/CN={NAME}',
                        '-addext', f'subjectAltName=DNS:{NAME}', '-keyout', f'{self.root}/key.pem',
                        '-out', f'{self.root}/cert.pem'], check=True, capture_output=True)
        self.process = None

    def url(self, path=''):
        return f'http{"s" if self.tls else ""}://{NAME}:{self.port}/torrents{path}'

    def __enter__(self):
        with open(f'{self.root}/out', 'wb') as out:
            self.process = subprocess.Popen([self.binary, '-p', self.root, '-c', f'{self.root}/nginx.conf'],
                                            stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        try:
            wait_for(self.is_up, 'nginx answers')
        except BaseException:
            self.__exit__()
            raise
        return self

    def is_up(self):
        with open(f'{self.root}/out', errors='replace', encoding='utf-8') as f:
            check(self.process.poll() is None, 'nginx ended:', f.read())
        try:
            socket.create_connection(('127.0.0.1', self.port), timeout=5).close()
            return True
        except OSError:
            return False

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.root, ignore_errors=True)

    def passed(self, *words):
        """Whether a request with all of these words has come."""
        with open(f'{self.root}/access.log', errors='replace', encoding='utf-8') as f:
            return any(all(w in line for w in words) for line in f)

    def curl(self, path, *arguments):
        """(status, body) of curl's request, which believes the certificate."""
        done = subprocess.run(['curl', '-sS', '--noproxy', '*', '--cacert', f'{self.root}/cert.pem', '--resolve',
                               f'{NAME}:{self.port}:127.0.0.1', '-w', '\n%{http_code}', *arguments, self.url(path)],
                              capture_output=True, check=False, timeout=60)
        body, _, status = done.stdout.rpartition(b'\n')
        check(done.returncode == 0, done.stderr)
        return int(status), body
