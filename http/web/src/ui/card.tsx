// SPDX-License-Identifier: MIT
// One thing that is about to be added: what it is, what peers say of it, and which of its files are wanted.
import { draft, picked } from '../adding';
import { request } from '../api';
import { bytes } from '../format';
import { t } from '../i18n/index';
import { hasten, may } from '../link';
import { chooseIn, looks } from '../preview';
import { openTorrent } from '../router';
import { closeSheet } from '../sheets';
import { say } from '../snack';
import { keyOf, type Source, sourcesFrom } from '../source';
import { rowOf, tick } from '../store';
import type { TorrentFile } from '../bencode';
import { Icon } from './icon';
import { FileTree } from './tree';

const BAD = { link: 'sourceLink', text: 'sourceBad', file: 'sourceNoTorrent' } as const;

export function drop(source: Source): void {
  if (picked.value.includes(source)) picked.value = picked.value.filter(s => s !== source);
  else draft.value = draft.value.split(/\s+/).filter(w => sourcesFrom(w)[0]?.key !== source.key).join('\n');
}

function kindOf(source: Source): string {
  const look = looks.value.get(source.key);
  if (source.kind === 'bad') return t.value[BAD[source.why]];
  if (source.kind === 'file') return t.value.sourceFiles(bytes(source.info.size), source.info.files.length);
  if (look?.state === 'ready') return t.value.sourceFiles(bytes(look.size), look.files.length);
  const kind = source.name === source.key ? t.value.sourceHash : t.value.sourceMagnet;
  return look?.state === 'resolving' ? `${kind} · ${t.value.lookAsks(look.asked)}` : look?.detail ?? kind;
}

interface ChoiceProps { list: TorrentFile[]; skipped: number[]; choose: (skip: number[]) => void; open: boolean }

function Choice({ list, skipped, choose, open }: ChoiceProps) {
  const skip = new Set(skipped), files = list.map(f => ({ ...f, done: 0, priority: skip.has(f.index) ? 'skip' : 'normal' }));
  const set = (indices: number[], priority: string) => {
    for (const i of indices) priority === 'skip' ? skip.add(i) : skip.delete(i);
    choose([...skip].sort((a, b) => a - b));
  };
  const all = list.map(f => f.index);
  return (
    <details class="choice" open={open}>
      <summary>{t.value.chooseFiles} · {t.value.filesChosen(files.length - skip.size, files.length)}</summary>
      <div class="tools">
        <button type="button" class="button small" onClick={() => choose([])}>{t.value.all}</button>
        <button type="button" class="button small" onClick={() => choose(all)}>{t.value.none}</button>
      </div>
      <FileTree files={files} onPriority={set} brief />
    </details>
  );
}

function Choices({ source, alone }: { source: Source; alone: boolean }) {
  const look = looks.value.get(source.key);
  if (source.kind === 'file' && source.info.files.length > 1)
    return <Choice list={source.info.files} skipped={source.skip} open={false} choose={skip => { picked.value = picked.value.map(s => (s === source ? { ...source, skip } : s)); }} />;
  if (source.kind === 'magnet' && look?.state === 'ready' && look.files.length > 1)
    return <Choice list={look.files} skipped={look.skip} open={alone} choose={skip => chooseIn(source.key, skip)} />;
  return null;
}

// It is here: what its link names besides can be asked, too.
async function mergeTrackers(url: string): Promise<void> {
  try {
    const { trackers } = JSON.parse(await request('POST', 'api/v1/torrents', { body: { magnet: url, merge: true }, headers: { 'Idempotency-Key': keyOf() } })) as { trackers?: number };
    say(t.value.trackersMerged(trackers ?? 0));
  } catch (error) {
    say(error instanceof Error ? error.message : String(error), { bad: true });
  }
  hasten();
}

export function Card({ source, failed, alone }: { source: Source; failed: string | undefined; alone: boolean }) {
  void tick.value;
  const here = source.kind === 'magnet' ? rowOf(source.key) : undefined;
  const bad = failed ?? (source.kind === 'bad' ? kindOf(source) : '');
  const extra = source.kind === 'magnet' && /[?&]tr=/.test(source.url);
  return (
    <li class={`card ${bad ? 'card-bad' : ''}`}>
      <Icon name={bad ? 'error' : source.kind === 'file' ? 'file' : 'meta'} />
      <span class="card-text"><bdi class="card-name">{source.name}</bdi><span class="card-kind" role="status">{bad || (here ? t.value.alreadyHere : kindOf(source))}</span></span>
      {here && <button type="button" class="button" onClick={() => closeSheet(() => openTorrent(here.hash))}>{t.value.open}</button>}
      <button type="button" class="icon-button" aria-label={t.value.sourceDrop} onClick={() => drop(source)}><Icon name="close" /></button>
      {here && extra && may('manage') && source.kind === 'magnet' && <button type="button" class="button wide" onClick={() => void mergeTrackers(source.url)}>{t.value.mergeTrackers}</button>}
      {!here && <Choices source={source} alone={alone} />}
    </li>
  );
}
