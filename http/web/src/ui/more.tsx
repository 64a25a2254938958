// SPDX-License-Identifier: MIT
// The rarer things to do with one torrent.
import { change, copyText } from '../actions';
import { get } from '../api';
import { t } from '../i18n/index';
import { closeSheet } from '../sheets';
import { type Row, rows } from '../store';
import { SheetFrame } from './sheet';

async function copyMagnet(row: Row): Promise<void> {
  const { magnet } = await get<{ magnet: string | null }>('torrentdata', { infohash: row.hash, fields: 'magnet' });
  if (magnet) await copyText(magnet);
}

export function MoreSheet({ row: then }: { row: Row }) {
  const row = rows.get(then.n) ?? then, w = t.value;
  const act = (action: string, args: Record<string, unknown>, text: string) => closeSheet(() => void change(row, action, args, text));
  const Item = ({ label, run }: { label: string; run: () => void }) => <button type="button" class="button wide" onClick={run}>{label}</button>;
  return (
    <SheetFrame title={<bdi>{row.name}</bdi>}>
      <div class="stack">
        <label class="check"><input type="checkbox" checked={row.sequential} onChange={e => void change(row, 'sequential', { on: e.currentTarget.checked }, w.sequentialSet(e.currentTarget.checked))} />{w.sequential}</label>
        <Item label={w.queueTop} run={() => act('queue', { to: 'top' }, w.moved)} />
        <Item label={w.queueBottom} run={() => act('queue', { to: 'bottom' }, w.moved)} />
        <Item label={w.forced} run={() => act('force', {}, w.started(row.name))} />
        <Item label={w.recheck} run={() => act('recheck', {}, w.rechecking)} />
        <Item label={w.reannounce} run={() => act('reannounce', {}, w.reannounced)} />
        {!row.private && <Item label={w.copyMagnet} run={() => void copyMagnet(row)} />}
      </div>
    </SheetFrame>
  );
}
