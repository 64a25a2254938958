// SPDX-License-Identifier: MIT
// What there is to know of a torrent, and the map of its pieces.
import { copyText } from '../actions';
import { ago, bytes, date, number, percent, rate, ratio } from '../format';
import { t } from '../i18n/index';
import { type Row, serverNow } from '../store';
import { type Facts, useView } from '../view';
import { Icon } from './icon';
import { Pieces } from './pieces';
import { Why } from './why';

const ASKED = 'wasted_ever,downloaded_ever,uploaded_ever,failed_pieces,piece_length,pieces_have,bitfield_base64,bitfield_length,magnet,maxdown,maxup';

function When({ at }: { at: number }) {
  return <time dateTime={new Date(at * 1000).toISOString()} title={date(at)}>{ago(serverNow() - at)}</time>;
}

const Copy = ({ text, what }: { text: string; what: string }) => (
  <button type="button" class="icon-button" aria-label={`${t.value.copy}: ${what}`} onClick={() => void copyText(text)}><Icon name="copy" /></button>
);

function facts(row: Row, view: Facts | null): [string, preact.ComponentChild][] {
  const f = t.value.facts, kib = (n: number) => bytes(n * 1024);
  const limit = (n: number) => (n > 0 ? rate(n * 1024) : t.value.unlimited);
  const list: [string, preact.ComponentChild][] = [[f.size, bytes(row.size)]];
  if (row.wanted !== row.size) list.push([f.wanted, bytes(row.wanted)]);
  if (view) list.push([f.downloaded, kib(view.downloaded_ever)], [f.uploaded, kib(view.uploaded_ever)]);
  list.push([f.ratio, ratio(row.ratio)]);
  if (view && view.wasted_ever > 0) list.push([f.wasted, kib(view.wasted_ever)]);
  if (view && view.failed_pieces > 0) list.push([f.failed, number(view.failed_pieces)]);
  list.push([f.swarm, t.value.swarmOf(Math.max(row.swarm_seeds, row.seeds), Math.max(row.swarm_peers, row.peers))]);
  if (view) list.push([f.limits, `↓ ${limit(view.maxdown)} · ↑ ${limit(view.maxup)}`]);
  if (row.added > 0) list.push([f.added, <When at={row.added} />]);
  if (row.completed > 0) list.push([f.completed, <When at={row.completed} />]);
  if (row.private) list.push([f.priv, t.value.yes]);
  return list;
}

export function Overview({ row }: { row: Row }) {
  const { data } = useView<Facts>(row.hash, { fields: ASKED, bitfields: true });
  const view = data.value;
  return (
    <>
      <Why row={row} />
      {view && view.bitfield_length > 0 && <section class="block">
        <h2>{t.value.pieces}</h2>
        <Pieces bits={view.bitfield_base64} count={view.bitfield_length} label={t.value.piecesName(percent(view.pieces_have / view.bitfield_length))} />
        <p class="hint">{t.value.piecesOf(number(view.pieces_have), number(view.bitfield_length), bytes(view.piece_length))}</p>
      </section>}
      <dl class="facts">{facts(row, view).map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>
      <dl class="facts facts-long">
        <div><dt>{t.value.facts.path}</dt><dd><bdi>{row.path}</bdi><Copy text={row.path} what={t.value.facts.path} /></dd></div>
        <div><dt>{t.value.facts.hash}</dt><dd><code>{row.hash}</code><Copy text={row.hash} what={t.value.facts.hash} /></dd></div>
        {view?.magnet && <div><dt>{t.value.facts.magnet}</dt><dd><code class="one-line">{view.magnet}</code><Copy text={view.magnet} what={t.value.facts.magnet} /></dd></div>}
      </dl>
    </>
  );
}
