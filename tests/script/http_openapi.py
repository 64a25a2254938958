#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The description of the API (OpenAPI 3.1): whole, and true of every answer of the daemon."""
import json
import os
import re

import lib_tap
from lib_daemon import Daemon
from lib_tap import Skip, case, check, equal
from lib_torrent import Torrent

try:
    import jsonschema
except ImportError:
    jsonschema = None

API = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'http', 'api')
DOCUMENT = '/api/v1/openapi.json'
# Streams do not end.
NOT_ASKED = {'/api/v1/events'}
# What a request that succeeds needs; {} in a path and `infohash` are filled in for all.
QUERIES = {'/setfilepriority': {'files': '0', 'priority': 'low'}, '/setdiscreet': {'on': 'true'}, '/setsequential': {'on': 'true'},
           '/setfirstlast': {'on': 'true'}, '/setlabels': {'labels': 'a,b'}, '/setencryption': {'encryption': 'off'},
           '/queuemove': {'to': 'top'}, '/setseedlimits': {'ratio': '1.5'}, '/setdownrate': {'rate': '1'}, '/setuprate': {'rate': '1'},
           '/settorrentdownrate': {'rate': '1'}, '/settorrentuprate': {'rate': '1'}, '/setglobaldownrate': {'rate': '1'},
           '/setglobaluprate': {'rate': '1'}, '/dht/get': {'target': 40 * '0'}, '/dht/sample': {'target': 40 * '0'}}
BODIES = {'/addmagnet': {'url': f'magnet:?xt=urn:btih:{40 * "a"}', 'start': False}, '/api/v1/settings': {'peers.max': 200},
          '/api/v1/tokens': {'name': 'x', 'scopes': 'read'}, '/api/v1/pairings': {'scopes': 'read'}}
PARTS = {'infohash': None, 'file': '0', 'id': '1'}


def document(d):
    reply = d.get(DOCUMENT)
    equal((reply.status, reply.headers['Content-Type']), (200, 'application/json; charset=utf-8'))
    return json.loads(reply.body)


def validator(doc, schema):
    if jsonschema is None:
        raise Skip('python3-jsonschema is not installed')
    whole = {'$schema': 'https://json-schema.org/draft/2020-12/schema', **schema, 'components': doc['components']}
    jsonschema.Draft202012Validator.check_schema(whole)
    return jsonschema.Draft202012Validator(whole)


def operations(doc):
    for path, ops in doc['paths'].items():
        for method, op in ops.items():
            yield method.upper(), path, op


def validate(doc, op, reply, what):
    told = op['responses'].get(str(reply.status))
    check(told is not None or reply.status >= 400, what, 'answered', reply.status, reply.body[:300])
    content = (told or op['responses']['default']).get('content')
    if content is None:
        equal(reply.body, b'', what)
        return
    media = (reply.headers['Content-Type'] or '').split(';')[0]
    check(media in content or 'application/octet-stream' in content, what, 'is', media, 'not one of', list(content))
    schema = content.get(media, {}).get('schema')
    if schema is None:
        return
    faults = list(validator(doc, schema).iter_errors(json.loads(reply.body)))
    check(not faults, what, 'is not as described:', *[f'{"/".join(map(str, f.path))}: {f.message[:200]}' for f in faults[:5]])


def ask(d, torrent, method, path, op):
    taken = {p['name'] for p in op['parameters'] if p['in'] == 'query'}
    query = dict(QUERIES.get(path, {}))
    if 'infohash' in taken:
        query['infohash'] = torrent.hex
    where = re.sub(r'\{(\w+)\}', lambda m: PARTS.get(m.group(1), '0') or torrent.hex, path)
    body = None if method == 'GET' else torrent.data if path == '/addtorrentfile' else json.dumps(BODIES[path]) if path in BODIES else None
    return d.http(method, where, query, body)


@case
def it_is_whole():
    with Daemon() as d:
        doc = document(d)
        equal(doc['openapi'], '3.1.0')
        listed = {path.split()[-1] for path in json.loads(d.get('/').body)['endpoints']}
        equal(set(doc['paths']), listed)
        ids = [op['operationId'] for _, _, op in operations(doc)]
        equal(len(ids), len(set(ids)), 'ids of operations')
        refs = set(re.findall(r'"\$ref":\s*"#/components/schemas/(\w+)"', json.dumps(doc)))
        equal(refs - set(doc['components']['schemas']), set(), 'what is named and not there')
        for method, path, op in operations(doc):
            equal([p['name'] for p in op['parameters'] if p['in'] == 'path'], re.findall(r'\{(\w+)\}', path), (method, path))
            check(op['summary'], method, path, 'says nothing')
        open_ones = {path for _, path, op in operations(doc) if op['security'] == []}
        check('/api/v1/pair' in open_ones and '/alldata' not in open_ones, open_ones)


@case
def the_tables_beside_the_routes_name_routes_and_parameters_that_there_are():
    with Daemon() as d:
        doc = document(d)
    known = {(method, path) for method, path, _ in operations(doc)}
    names = {(path, p['name']) for _, path, op in operations(doc) for p in op['parameters']}
    with open(os.path.join(API, 'answers.def'), encoding='utf-8') as f:
        said = re.findall(r'^(?:ANSWER|BODY)\("(\w+)", "([^"]+)"', f.read(), re.M)
    check(len(said) > 30, 'few answers', said)
    for one in said:
        check(one in known, 'answers.def has', one, 'which is no route')
    with open(os.path.join(API, 'params.def'), encoding='utf-8') as f:
        typed = re.findall(r'^PARAM\("([^"]*)", (\w+), ', f.read(), re.M)
    for path, name in typed:
        check(any(n == name and path in ('', p) for p, n in names), 'params.def has', path, name, 'which nothing takes')
    typed = {name for _, name in typed}
    equal(sorted({name for _, name in names} - typed), [], 'parameters without a type in params.def')
    with_bodies = {(method, path) for method, path, op in operations(doc) if method != 'GET' and op['responses'].keys() != {'default'}}
    check(with_bodies, 'no changes')
    vague = [(method, path) for method, path, op in operations(doc) if (method, path) not in said and method == 'GET'
             and not path.startswith('/transmission/') and op['responses']['200'].get('content', {}).get('application/json') == {'schema': {}}]
    equal(vague, [], 'routes that do not say in answers.def what they answer')


@case
def every_answer_is_as_described():
    with Daemon({'api.legacy_names': 'true'}) as d:
        doc = document(d)
        t, other = Torrent('described', [('a', 20000), ('b', 5)]), Torrent('added', 1000)
        d.seed(t)
        for method, path, op in operations(doc):
            if path not in NOT_ASKED and not path.startswith('/transmission/') and path != '/removetorrent':
                validate(doc, op, ask(d, other if path == '/addtorrentfile' else t, method, path, op), f'{method} {path}')
        for path, query in (('/torrentdata', {'infohash': t.hex, 'fields': 'name,files,magnet'}), ('/alldata', {'files': 'true'}),
                            ('/torrentdata', {'infohash': 40 * 'a'}), ('/torrentdata', {'infohash': 'x'}),
                            ('/api/v1/torrents', {'limit': 1}), ('/api/v1/torrents', {'since': 'x'}), ('/api/v1/volumes', {'path': '/'})):
            validate(doc, doc['paths'][path]['get'], d.http('GET', path, query), f'{path} {query}')


@case
def what_is_done_to_many_is_told_as_described():
    with Daemon() as d:
        doc = document(d)
        t = Torrent('many', 1000)
        d.add(t, start='false')

        def act(path, template, body=None):
            reply = d.http('POST', path, None, json.dumps(body) if body else None)
            equal(reply.status, 200, reply.body)
            validate(doc, doc['paths'][template]['post'], reply, path)
            return json.loads(reply.body)

        done = act('/api/v1/torrents/actions', '/api/v1/torrents/actions',
                   {'action': 'sequential', 'on': True, 'hashes': [t.hex, 40 * '0']})
        equal((done['done'], len(done['failed'])), (1, 1))
        act(f'/api/v1/undo/{done["undo"]}', '/api/v1/undo/{id}')
        act('/api/v1/torrents/actions', '/api/v1/torrents/actions', {'action': 'remove', 'data': 'keep', 'hashes': [t.hex]})
        reply = d.get('/api/v1/removed')
        equal([r['hash'] for r in json.loads(reply.body)['removed']], [t.hex])
        validate(doc, doc['paths']['/api/v1/removed']['get'], reply, 'removed')


@case
def rows_have_the_types_of_their_columns():
    with Daemon() as d:
        doc = document(d)
        d.seed(Torrent('row', 20000))
        told = json.loads(d.get('/api/v1/torrents').body)
        row = dict(zip(told['fields'], told['add'][0]))
        faults = list(validator(doc, doc['components']['schemas']['Row']).iter_errors(row))
        check(not faults, faults[:3])
        equal(sorted(row), sorted(doc['components']['schemas']['Row']['properties']))


@case
def who_is_let_in_is_told_as_described():
    with Daemon() as d:
        doc = document(d)
        for want in ('cookie', 'token'):
            code = json.loads(d.http('POST', '/api/v1/pairings').body)['code']
            reply = d.http('POST', '/api/v1/pair', None, json.dumps({'code': code, 'want': want}))
            equal(reply.status, 200, reply.body)
            validate(doc, doc['paths']['/api/v1/pair']['post'], reply, want)
        secret = {'token': d.first_token()}
        reply = d.http('POST', '/api/v1/login', None, json.dumps(secret))
        equal(reply.status, 200, reply.body)
        validate(doc, doc['paths']['/api/v1/login']['post'], reply, 'login')
        cookie = {'Cookie': reply.headers['Set-Cookie'].split(';')[0], 'X-Requested-With': 'x'}
        validate(doc, doc['paths']['/api/v1/session']['get'], d.http('GET', '/api/v1/session', headers=cookie), 'session')


if __name__ == '__main__':
    lib_tap.main()
