// SPDX-License-Identifier: MIT
// The files of a torrent: which are wanted, and how urgently.
import { useSignal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import { change } from '../actions';
import { t } from '../i18n/index';
import { connected, may } from '../link';
import { ranges } from '../source';
import type { Row } from '../store';
import { type FileView, useView } from '../view';
import { FileTree } from './tree';

export function Files({ row }: { row: Row }) {
  const { data, again } = useView<{ files: FileView[] }>(row.hash, { fields: 'files', files: true });
  const asked = useSignal<ReadonlyMap<number, string>>(new Map()); // until the daemon says so
  const told = data.value?.files, drawn = asked.value;
  const files = useMemo(() => (told ?? []).map(f => ({
    index: f.index, path: f.path, length: f.length_bytes, done: f.done_bytes, priority: drawn.get(f.index) ?? f.priority,
  })), [told, drawn]);
  const choose = async (indices: number[], priority: string) => {
    asked.value = new Map([...drawn, ...indices.map(i => [i, priority] as const)]);
    await change(row, 'files', { files: ranges([...indices].sort((a, b) => a - b)), priority }, t.value.filesSet(indices.length, t.value.priorities[priority]!));
    again();
    setTimeout(() => { asked.value = new Map(); }, 1000);
  };
  if (!told) return <p class="hint">{t.value.loading}</p>;
  if (files.length === 0) return <p class="hint">{t.value.noFiles}</p>;
  const all = files.map(f => f.index), off = !connected.value || !may('manage');
  return (
    <>
      <div class="tools">
        <span class="hint">{t.value.filesOf(files.filter(f => f.priority !== 'skip').length, files.length)}</span>
        <button type="button" class="button small" disabled={off} onClick={() => void choose(all, 'normal')}>{t.value.all}</button>
        <button type="button" class="button small" disabled={off} onClick={() => void choose(all, 'skip')}>{t.value.none}</button>
      </div>
      <FileTree files={files} hash={row.hash} onPriority={(i, p) => void choose(i, p)} readOnly={off} />
    </>
  );
}
