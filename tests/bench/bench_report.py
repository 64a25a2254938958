# SPDX-License-Identifier: MIT
"""From runs to tables: medians, paired ratios with an interval, and what was to be reached."""
import random
import statistics

from bench_clients import ALL, OURS
from bench_lab import GIB, MIB

TITLES = {key: kind.title for key, kind in ALL.items()}
TITLES.update({'floor': 'floor program', 'floor (sendfile)': 'floor program (sendfile)',
               'floor (lowat)': 'floor program, woken for 256 KiB', 'torrentd, watched': 'torrentd, its API asked 20 times a second',
               'generator': 'the two generators alone'})
FLAT = 1.3  # a picker operation is flat when its dearest size costs at most this many times its cheapest
# A peer's 64 pieces lie in 16 words of a torrent of 1,000 pieces and in 64 of a large one, and each is looked at.
FLAT_FOR = {'pick_few': 2.0}


def cost(run):
    """CPU seconds per GiB."""
    return run['cpu'] * GIB / run['bytes']


def rate(run):
    """Bytes per second; of a download from its first request on."""
    return run['bytes'] / run.get('transfer', run['wall'])


def median(runs, value):
    return statistics.median(map(value, runs))


def interval(values):
    """The 95 % bootstrap interval of the median."""
    chance = random.Random(1)
    medians = sorted(statistics.median(chance.choices(values, k=len(values))) for _ in range(2000))
    return medians[50], medians[1949]


def ratio(mine, theirs, value):
    """Median and interval of value(mine) / value(theirs) over the rounds that both have."""
    other = {run['round']: value(run) for run in theirs}
    pairs = [value(run) / other[run['round']] for run in mine if other.get(run['round'], 0) > 0]
    return (statistics.median(pairs), *interval(pairs), len(pairs)) if pairs else None


def show_ratio(found):
    return '-' if found is None else f'{found[0]:.2f} ({found[1]:.2f}-{found[2]:.2f})'


def table(head, rows):
    lines = ['| ' + ' | '.join(head) + ' |', '|' + '---|' * len(head)]
    return lines + ['| ' + ' | '.join(map(str, row)) + ' |' for row in rows] + ['']


def runs_of(bench, name):
    return bench['rows'].get(name, {'runs': []})['runs']


def timed_table(bench):
    ours, rows = runs_of(bench, OURS), []
    whole = max((run['bytes'] for row in bench['rows'].values() for run in row['runs']), default=0)
    for name, row in bench['rows'].items():
        title, runs = TITLES.get(name, name), row['runs']
        if not runs:
            rows.append([title, 0] + ['-'] * 6 + [f'could not run: {row["why"]}'])
            continue
        remark = f'{row["why"]} (some runs failed)' if row['why'] else ''
        if any('transfer' in run for run in runs):
            remark = f'{median(runs, lambda r: r["wall"] - r["transfer"]):.2f} s until the first request. ' + remark
        if any('cached' in run for run in runs):
            remark = f'{100 * median(runs, lambda r: r["cached"]):.0f} % of the file was cached at the start. ' + remark
        if runs[0]['bytes'] < 0.9 * whole:
            remark = f'{runs[0]["bytes"] >> 20} MiB a run. ' + remark
        mine = name == OURS
        rows.append([
            title, len(runs), f'{median(runs, lambda r: r["wall"]):.2f}',
            f'{median(runs, rate) / MIB:.0f}', f'{median(runs, cost):.2f}',
            f'{median(runs, lambda r: r["user"] * GIB / r["bytes"]):.2f} + '
            f'{median(runs, lambda r: r["sys"] * GIB / r["bytes"]):.2f}',
            '1' if mine else show_ratio(ratio(ours, runs, cost)),
            '1' if mine else show_ratio(ratio(ours, runs, rate)), remark])
    return table(['', 'runs', 'wall s', 'MiB/s', 'CPU-s/GiB', 'user + sys', 'our CPU / its', 'our rate / its', ''],
                 rows)


def swarm_table(bench):
    rows = []
    for name, row in bench['rows'].items():
        runs = row['runs']
        if not runs:
            rows.append([name, 0, '-', '-', '-', f'could not run: {row["why"]}'])
            continue
        kinds = sorted({kind for kind, _, _ in runs[0]['done']}, reverse=True)
        rows.append([
            name, len(runs),
            ', '.join(f'{k} {median(runs, lambda r, k=k: r[f"last {k}"]):.2f}' for k in kinds),
            ', '.join('%s %.2f' % (k, statistics.median(statistics.median(
                done for kind, done, _ in r['done'] if kind == k) for r in runs)) for k in kinds),
            ', '.join('%s %.2f' % (k, statistics.median(statistics.mean(
                used for kind, _, used in r['done'] if kind == k) * 7 * GIB / r['bytes'] for r in runs))
                for k in kinds), row['why'] or ''])
    return table(['leechers', 'runs', 'last one done, s', 'half of them done, s', 'CPU-s/GiB of a leecher', ''], rows)


def told(fact, *keys):
    for key in keys:
        if not isinstance(fact, dict) or key not in fact:
            return None
        fact = fact[key]
    return fact


def block_tables(bench):
    facts, rows = bench['facts'], []
    for key, fact in facts.items():
        if 'why' in fact:
            rows.append([key, f'could not run: {fact["why"]}'])
        elif key.startswith('counted'):
            who = f'{key.split()[-1]} {"leecher" if "seeding" in key else "seeder"}(s)'
            rows.append([f'{who}: allocations, ZeroMQ messages per block',
                         f'{fact["allocations"]:.4f} ({fact["allocations_a_second"]:.0f} a second at '
                         f'{fact["rate"] / MIB:.0f} MiB/s), {fact["messages"]:.3f}'])
        elif key.startswith('traced'):
            rows.append([f'{key.split()[1]} seeder(s): system calls per block: receiving, all of the network '
                         f'threads, whole process',
                         f'{fact["receiving"]:.3f}, {fact["network_thread"]:.3f}, {fact["all"]:.3f} '
                         f'({fact["tool"]}, at {fact["rate"] / MIB:.0f} MiB/s)'])
            rows.extend([f'- thread {name}', ', '.join(f'{call} {n:.3f}' for call, n in list(calls.items())[:8] if n >= 0.0005)]
                        for name, calls in fact['by_thread'].items() if calls.get('all', 0) >= 0.005)
        else:
            rows.append([f'{key.split()[1]}: private memory per idle connection', f'{fact["bytes"] / 1024:.1f} KiB'])
    return table(['what', 'measured'], rows)


def picker_tables(bench):
    facts = bench['facts']
    if not facts.get('instructions'):
        return [f'Could not run: {facts.get("why")}', '']
    lines = table(['instructions'] + [f'{n:,} pieces' for n in facts['pieces']] + ['dearest / cheapest'],
                  [[facts['operations'][key]] + [f'{n:.0f}' for n in row] + [f'{max(row) / max(min(row), 1):.2f}']
                   for key, row in facts['instructions'].items()])
    for native in facts['native']:
        lines += table([f'ns, {native["pieces"]:,} pieces, {native["peers"]} peers'] + list(native['ns']),
                       [[''] + [f'{n:.0f}' for n in native['ns'].values()]])
    return lines


# --- what was to be reached ---

def opponents(bench):
    return [name for name in bench['rows'] if name in ALL and name != OURS and runs_of(bench, name)]


def judged(what, limit, found, below=True):
    if found is None:
        return [what, limit, 'not measured', '']
    met = found[0] <= limit if below else found[0] >= limit
    return [what, ('<= ' if below else '>= ') + str(limit), show_ratio(found) if len(found) > 1 else f'{found[0]:.3g}',
            'met' if met else '**missed**']


def against(bench, cpu, faster, floors=(), floor=None):
    """Against the cheapest and the fastest opponent, and the floor."""
    ours, names = runs_of(bench, OURS), opponents(bench)
    if not ours or not names:
        yield judged(bench['title'], cpu, None)
        return
    cheap = min(names, key=lambda n: median(runs_of(bench, n), cost))
    quick = max(names, key=lambda n: median(runs_of(bench, n), rate))
    row = judged(f'{bench["key"]}: CPU / the cheapest ({TITLES[cheap]})', cpu, ratio(ours, runs_of(bench, cheap), cost))
    least = ratio(runs_of(bench, 'floor'), runs_of(bench, cheap), cost)
    if least is not None:
        row[3] += f'; the floor program is at {least[0]:.2f}'
    yield row
    yield judged(f'{bench["key"]}: rate / the fastest ({TITLES[quick]})', faster,
                 ratio(ours, runs_of(bench, quick), rate), below=False)
    for name in floors:
        yield judged(f'{bench["key"]}: CPU / {TITLES[name]}', floor, ratio(ours, runs_of(bench, name), cost))


def swarm_goals(bench):
    def last(name):
        return lambda run: run[f'last {name}']
    ours, theirs = runs_of(bench, '7 torrentd'), runs_of(bench, '7 libtorrent')
    other = {run['round']: run['last libtorrent'] for run in theirs}
    pairs = [run['last torrentd'] / other[run['round']] for run in ours if run['round'] in other]
    yield judged('swarm: last of 7 torrentd / last of 7 libtorrent', 0.9,
                 (statistics.median(pairs), *interval(pairs)) if pairs else None)
    pairs = [last('torrentd')(run) / last('libtorrent')(run) for run in runs_of(bench, '4 torrentd, 3 libtorrent')]
    yield judged('swarm: last of 4 torrentd / last of the 3 libtorrent beside them', 0.9,
                 (statistics.median(pairs), *interval(pairs)) if pairs else None)


def recheck_goals(bench):
    facts, ours = bench['facts'], runs_of(bench, OURS)
    if ours and 'openssl_one' in facts:
        mine = median(ours, rate)
        yield judged('recheck: rate / openssl speed on one core x cores', 0.85,
                     (mine / (facts['openssl_one'] * facts['cores']),), below=False)
        yield judged('recheck: rate / openssl speed on all cores at once', 0.85, (mine / facts['openssl_all'],),
                     below=False)
    for name in opponents(bench):
        yield judged(f'recheck: rate / {TITLES[name]}', 1.5, ratio(ours, runs_of(bench, name), rate), below=False)


def block_goals(bench):
    facts = bench['facts']
    # None belong to a block: what is left are notes, checkpoints and other timers, some hundred a second.
    wanted = [('allocations per block', 0.005, ('counted', 'allocations')), ('messages per block', 2, ('counted', 'messages')),
              ('receiving system calls per block', 0.2, ('traced', 'receiving'))]
    for count in ('1', '20'):
        for what, limit, (kind, key) in wanted:
            value = told(facts, f'{kind} {count}', key)
            yield judged(f'{what}, {count} seeder(s)', limit, None if value is None else (value,))
        for what, limit, (_, key) in wanted[:2]:
            value = told(facts, f'counted seeding {count}', key)
            yield judged(f'{what}, {count} leecher(s)', limit, None if value is None else (value,))
    value = told(facts, 'idle torrentd', 'bytes')
    yield judged('KiB per idle connection', 16, None if value is None else (value / 1024,))


def picker_goals(bench):
    for key, row in (bench['facts'].get('instructions') or {}).items():
        yield judged(f'picker: {bench["facts"]["operations"][key]}: dearest size / cheapest size', FLAT_FOR.get(key, FLAT),
                     (max(row) / max(min(row), 1),))


def line_goals(bench, limits, faster):
    """limits: {name: the most that our CPU may be of its}; faster: the least that our rate may be of the fastest's."""
    ours, names = runs_of(bench, OURS), opponents(bench)
    for name, limit in limits.items():
        yield judged(f'{bench["key"]}: CPU / {TITLES[name]}', limit, ratio(ours, runs_of(bench, name), cost) if ours else None)
    if names and ours:
        quick = max(names, key=lambda n: median(runs_of(bench, n), rate))
        yield judged(f'{bench["key"]}: rate / the fastest ({TITLES[quick]})', faster,
                     ratio(ours, runs_of(bench, quick), rate), below=False)
    tails = [1000 * run['tail'] for run in ours if 'tail' in run]
    if tails:
        yield judged(f'{bench["key"]}: ms from the last byte on the wire to "complete"', 50, (statistics.median(tails),))
    waits = [1000 * run['api_p99'] for run in runs_of(bench, 'torrentd, watched') if run.get('api_p99')]
    if waits:
        yield judged(f'{bench["key"]}: API, ms, p99', 5, (statistics.median(waits),))


PACED = {'aria2': 0.6, 'libtorrent': 0.4, 'floor': 1.3}

GOALS = {
    **{key: lambda b: line_goals(b, PACED, 0.98) for key in ('line-160', 'line-800', 'line-50')},
    **{key: lambda b: line_goals(b, {'aria2': 0.75}, 1.2) for key in ('line-free', 'line-disk')},
    'line-seed-50': lambda b: line_goals(b, {'rtorrent': 0.5}, 0.98),
    'download-1': lambda b: against(b, 0.5, 1.5, ['floor'], 1.3),
    'download-20': lambda b: against(b, 0.5, 1.3),
    'seed-1': lambda b: against(b, 0.75, 1.0, ['floor', 'floor (sendfile)'], 1.2),
    'seed-20': lambda b: against(b, 0.75, 1.0, ['floor', 'floor (sendfile)'], 1.2),
    'swarm': swarm_goals, 'recheck': recheck_goals, 'block': block_goals, 'picker': picker_goals,
}

NOTES = '''Every client gets the same: plain TCP over the loopback device of a network namespace of its own (swarm: a namespace
each, joined by a bridge), no encryption, DHT, local discovery or peer exchange, no preallocation, 100 upload slots, the
same storage, its defaults otherwise; `high_performance_seed` is libtorrent's own tuning. The other end of the timed
transfers is the same for all: a C program that serves (`blast.c`) or takes (`sink.c`) blocks, hashes nothing, and is
its own row where it matters ("the two generators alone"). The floor is a plain program that moves the same bytes over one stream:
receive, SHA-1, write of whole pieces; or send from the page cache.
Right before each download as much free memory as it will fill is taken and given back, since a virtual machine's memory that
lies free may go back to the host, and then costs whoever touches it first.

CPU is the kernel's account of the one process, all threads, user and system, from the add to completion; wall time is the same span,
for seeding from the first unchoke to the last byte. The rate of a download counts from its first request, since clients differ
by seconds in when they ask for it. A client that needs much longer than the others has fewer rounds and a smaller payload,
which its row then says: CPU per GiB does not depend on it, the rate of one that is slow to start does. Payload is compared byte by byte after the clock stops (when
seeding: every 64th block, as it comes). Runs are interleaved in the order A B C C B A; ratios are medians of ratios
between runs of the same round with the 95 % bootstrap interval of the median in brackets. On the disk, torrentd syncs what it
has verified every few seconds and the others do not.

The rows called "line" have two hosts, each a network namespace, with Ethernet's packets between them; what the sending one
sends is paced by the kernel (`tc`, `tbf`). The other side is a real libtorrent, or fifty generators with an address each.
'''


def head_lines(result):
    machine = result['machine']
    lines = ['# Benchmarks', '']
    if result['quick']:
        lines += ['**Quick figures**: small payloads and two rounds, made to show that every row works. They claim '
                  'nothing.', '']
    elif not result['whole']:
        lines += ['**A part of the benches only.**', '']
    steal = f'{100 * result["steal"]:.1f} %'
    lines += [f'Made by `make bench` (`{result["command"]}`) on {result["date"]}, in {result["seconds"] / 60:.0f} '
              f'minutes; {steal} of the CPU time was stolen by other guests of the host.', '',
              f'Machine: {machine["cpu"]}, {machine["cores"]} cores'
              f'{" with SHA extensions" if machine["sha_extensions"] else ""}, {machine["memory"]}, {machine["system"]}, '
              f'Linux {machine["kernel"]}.', '',
              'Versions: ' + ', '.join(f'{name} {version or "missing"}' for name, version in result['versions'].items())
              + '.', '']
    return lines


def extra_lines(bench):
    facts = bench['facts']
    if 'openssl_one' in facts:
        return [f'`openssl speed -evp sha1` with 1 MiB blocks: {facts["openssl_one"] / MIB:.0f} MiB/s on one core, '
                f'{facts["openssl_all"] / MIB:.0f} MiB/s on all {facts["cores"]} at once.', '']
    return generator_lines(bench)


def wakeup_lines(bench):
    """How often the kernel woke each thread, for a MiB of payload: what a paced line costs besides the bytes."""
    rows = []
    for name, row in bench['rows'].items():
        runs = [run for run in row['runs'] if 'woken' in run]
        if not runs:
            continue
        threads = {t for run in runs for t in run['woken']}
        woken = {t: median(runs, lambda r, t=t: r['woken'].get(t, 0) * MIB / r['bytes']) for t in threads}
        most = sorted(woken.items(), key=lambda item: -item[1])[:6]
        rows.append([TITLES.get(name, name), f'{sum(woken.values()):.1f}',
                     ', '.join(f'{thread} {n:.2f}' for thread, n in most if n >= 0.005)])
    return table(['wake-ups for a MiB', 'all', 'by thread'], rows) if rows else []


def generator_lines(bench):
    """Says so when the generator may have been what was measured."""
    alone = runs_of(bench, 'generator')
    names = [n for n in bench['rows'] if n in ALL and runs_of(bench, n)]
    if not alone or not names:
        return []
    best = max(median(runs_of(bench, n), rate) for n in names)
    times = median(alone, rate) / best
    return [f'The generators alone are {times:.1f} times as fast as the fastest client'
            + ('.' if times >= 1.5 else ': its rate is bound by the generator, its CPU is not.'), '']


def markdown(result):
    lines = head_lines(result) + [NOTES]
    goals = [row for bench in result['benches'] for row in GOALS.get(bench['key'], lambda _: [])(bench)]
    if goals:
        lines += ['## What was to be reached', ''] + table(['what', 'to reach', 'measured', ''], goals)
    for bench in result['benches']:
        lines += [f'## {bench["title"][0].upper()}{bench["title"][1:]}', '']
        if bench['note']:
            lines += [bench['note'], '']
        if bench['key'] == 'swarm' and bench['rows']:
            lines += swarm_table(bench)
        elif bench['key'] == 'block':
            lines += block_tables(bench)
        elif bench['key'] == 'picker':
            lines += picker_tables(bench)
        elif bench['rows']:
            lines += timed_table(bench) + extra_lines(bench)
            if bench['key'].startswith('line-'):
                lines += wakeup_lines(bench)
    return '\n'.join(lines).rstrip() + '\n'
