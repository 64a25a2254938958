# SPDX-License-Identifier: MIT
"""A router of our own that maps ports: PCP and NAT-PMP over UDP, and a UPnP gateway that refuses as it is told."""
import http.server
import ipaddress
import re
import socket
import struct
import threading
import time

PORT = 5351
NONE, NATPMP, PCP = 'none', 'nat-pmp', 'pcp'


class Gateway:
    """Answers at (host, 5351).  Attributes may be changed at any time; mapped is what it has: {proto: (port, lease)}."""

    def __init__(self, host, speaks=PCP, external='1.2.3.4'):
        self.host, self.speaks, self.external = host, speaks, external
        self.result, self.lease = 0, None
        self.fixed = {}  # the port that a protocol is given, whatever is asked for
        self.began = time.monotonic()
        self.mapped, self.asked, self.removed = {}, [], []
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((host, PORT))
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def restart(self):
        """All that was granted is forgotten, and time begins anew."""
        self.mapped = {}
        self.began = time.monotonic()

    def epoch(self):
        return int(time.monotonic() - self.began)

    def grant(self, proto, internal, suggested, lease):
        """(external port, lease) of a request."""
        if lease == 0:
            self.removed.append(proto)
            self.mapped.pop(proto, None)
            return 0, 0
        self.asked.append((proto, internal, suggested, lease))
        if self.result:
            return 0, self.lease or 30
        port = self.fixed.get(proto) or suggested or internal
        self.mapped[proto] = port, internal
        return port, self.lease or lease

    def answer_pcp(self, q):
        if self.speaks == NATPMP:
            return struct.pack('>BBHI', 0, 0x81, 1, self.epoch())
        lease, = struct.unpack('>I', q[4:8])
        proto = {6: 'tcp', 17: 'udp'}[q[36]]
        internal, suggested = struct.unpack('>HH', q[40:44])
        port, lease = self.grant(proto, internal, suggested, lease)
        outside = b'\0' * 10 + b'\xff\xff' + ipaddress.ip_address(self.external).packed
        return (struct.pack('>BBBBII', 2, 0x81, 0, self.result, lease, self.epoch()) + bytes(12) + q[24:42] +
                struct.pack('>H', port) + outside)

    def answer_natpmp(self, q):
        head = struct.pack('>BBHI', 0, 0x80 | q[1], self.result if q[1] else 0, self.epoch())
        if q[1] == 0:
            return head + ipaddress.ip_address(self.external).packed
        internal, suggested, lease = struct.unpack('>HHI', q[4:12])
        port, lease = self.grant({1: 'udp', 2: 'tcp'}[q[1]], internal, suggested, lease)
        return head + struct.pack('>HHI', internal, port, lease)

    def serve(self):
        while True:
            try:
                q, source = self.sock.recvfrom(2000)
            except OSError:
                return
            if self.speaks == NONE or len(q) not in (2, 12, 60):
                continue
            self.sock.sendto(self.answer_pcp(q) if q[0] == 2 else self.answer_natpmp(q), source)

    def close(self):
        self.sock.close()


DESCRIPTION = '''<?xml version="1.0"?>
<root xmlns="urn:schemas-upnp-org:device-1-0"><specVersion><major>1</major><minor>0</minor></specVersion><device>
<deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:1</deviceType><friendlyName>made</friendlyName>
<manufacturer>m</manufacturer><modelName>m</modelName><UDN>uuid:1</UDN><deviceList><device>
<deviceType>urn:schemas-upnp-org:device:WANDevice:1</deviceType><friendlyName>w</friendlyName><UDN>uuid:2</UDN>
<deviceList><device><deviceType>urn:schemas-upnp-org:device:WANConnectionDevice:1</deviceType>
<friendlyName>c</friendlyName><UDN>uuid:3</UDN><serviceList><service>
<serviceType>urn:schemas-upnp-org:service:WANIPConnection:1</serviceType>
<serviceId>urn:upnp-org:serviceId:WANIPConn1</serviceId><controlURL>/control</controlURL>
<eventSubURL>/event</eventSubURL><SCPDURL>/scpd.xml</SCPDURL></service></serviceList></device></deviceList></device>
</deviceList></device></root>'''
ENVELOPE = ('<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" '
            's:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>{}</s:Body></s:Envelope>')
FAULT = ('<s:Fault><faultcode>s:Client</faultcode><faultstring>UPnPError</faultstring><detail><UPnPError '
         'xmlns="urn:schemas-upnp-org:control-1-0"><errorCode>{}</errorCode><errorDescription>no</errorDescription>'
         '</UPnPError></detail></s:Fault>')
SERVICE = 'urn:schemas-upnp-org:service:WANIPConnection:1'


class Igd:
    """refuse(action, arguments) gives an error, or 0; mapped is {(proto, external port): (host, port, lease)}."""

    def __init__(self, host, refuse=lambda action, arguments: 0, external='1.2.3.4', location=None, searched=True):
        self.host, self.refuse, self.external = host, refuse, external
        self.mapped, self.calls = {}, []
        self.fetched, self.searches = [], 0
        igd = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def reply(self, status, body):
                self.send_response(status)
                self.send_header('Content-Type', 'text/xml')
                self.send_header('Content-Length', str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())

            def do_GET(self):
                igd.fetched.append(self.path)
                self.reply(200, DESCRIPTION)

            def do_POST(self):
                body = self.rfile.read(int(self.headers['Content-Length'])).decode()
                self.reply(*igd.control(self.headers['SOAPAction'].strip('"').split('#')[1], body))

        self.server = http.server.ThreadingHTTPServer((host, 0), Handler)
        self.location = location or f'http://{host}:{self.server.server_port}/root.xml'
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.ssdp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.ssdp.bind(('239.255.255.250', 1900))
        self.ssdp.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                             socket.inet_aton('239.255.255.250') + socket.inet_aton(host))
        self.answers = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.answers.bind((host, 0))
        if searched:
            threading.Thread(target=self.serve_ssdp, daemon=True).start()

    def serve_ssdp(self):
        while True:
            try:
                q, source = self.ssdp.recvfrom(2000)
            except OSError:
                return
            wanted = re.search(rb'\r\nST: *([^\r]*)', q, re.IGNORECASE)
            if q.startswith(b'M-SEARCH') and wanted and b'InternetGatewayDevice' in wanted.group(1):
                self.searches += 1
                self.answers.sendto(b'HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nST: ' + wanted.group(1) +
                                    b'\r\nUSN: uuid:1::x\r\nEXT:\r\nSERVER: made\r\nLOCATION: ' +
                                    self.location.encode() + b'\r\n\r\n', source)

    def control(self, action, body):
        arguments = dict(re.findall(r'<(New\w+)[^>]*>([^<]*)</', body))
        self.calls.append((action, arguments))
        error = self.refuse(action, arguments)
        if error:
            return 500, ENVELOPE.format(FAULT.format(error))
        answer = ''
        if action == 'GetExternalIPAddress':
            answer = f'<NewExternalIPAddress>{self.external}</NewExternalIPAddress>'
        elif action == 'GetStatusInfo':
            answer = ('<NewConnectionStatus>Connected</NewConnectionStatus><NewLastConnectionError>ERROR_NONE'
                      '</NewLastConnectionError><NewUptime>99</NewUptime>')
        elif action in ('AddPortMapping', 'DeletePortMapping'):
            key = arguments['NewProtocol'].lower(), int(arguments['NewExternalPort'])
            if action == 'DeletePortMapping':
                self.mapped.pop(key, None)
            else:
                self.mapped[key] = (arguments['NewInternalClient'], int(arguments['NewInternalPort']),
                                    int(arguments['NewLeaseDuration']))
        return 200, ENVELOPE.format(f'<u:{action}Response xmlns:u="{SERVICE}">{answer}</u:{action}Response>')

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.ssdp.close()
