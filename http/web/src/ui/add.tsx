// SPDX-License-Identifier: MIT
// The sheet that adds: what was pasted, typed, dropped or chosen, each with what becomes of it.
import { useComputed, useSignal } from '@preact/signals';
import { addFiles, draft, picked } from '../adding';
import { bytes } from '../format';
import { t } from '../i18n/index';
import { connected, hasten } from '../link';
import { openTorrent } from '../router';
import { isAway, sendLater } from '../outbox';
import { closeSheet } from '../sheets';
import { say } from '../snack';
import { keyOf, type Options, send, type Source, sourcesFrom } from '../source';
import { rowOf, rows, tick } from '../store';
import { volumeOf } from '../volumes';
import { Icon } from './icon';
import { SheetFrame } from './sheet';
import { FileTree } from './tree';

const BAD = { link: 'sourceLink', text: 'sourceBad', file: 'sourceNoTorrent' } as const;

function drop(source: Source): void {
  if (picked.value.includes(source)) picked.value = picked.value.filter(s => s !== source);
  else draft.value = draft.value.split(/\s+/).filter(w => sourcesFrom(w)[0]?.key !== source.key).join('\n');
}

function kindOf(source: Source): string {
  if (source.kind === 'bad') return t.value[BAD[source.why]];
  if (source.kind === 'magnet') return source.name === source.key ? t.value.sourceHash : t.value.sourceMagnet;
  return t.value.sourceFiles(bytes(source.info.size), source.info.files.length);
}

function Choice({ source }: { source: Source & { kind: 'file' } }) {
  const skip = new Set(source.skip);
  const files = source.info.files.map(f => ({ ...f, done: 0, priority: skip.has(f.index) ? 'skip' : 'normal' }));
  const choose = (indices: number[], priority: string) => {
    for (const i of indices) priority === 'skip' ? skip.add(i) : skip.delete(i);
    picked.value = picked.value.map(s => (s === source ? { ...source, skip: [...skip].sort((a, b) => a - b) } : s));
  };
  return (
    <details class="choice">
      <summary>{t.value.chooseFiles} · {t.value.filesChosen(files.length - skip.size, files.length)}</summary>
      <FileTree files={files} onPriority={choose} brief />
    </details>
  );
}

function Card({ source, failed }: { source: Source; failed: string | undefined }) {
  void tick.value;
  const here = source.kind === 'magnet' ? rowOf(source.key) : undefined;
  const bad = failed ?? (source.kind === 'bad' ? kindOf(source) : '');
  return (
    <li class={`card ${bad ? 'card-bad' : ''}`}>
      <Icon name={bad ? 'error' : source.kind === 'file' ? 'file' : 'meta'} />
      <span class="card-text"><bdi class="card-name">{source.name}</bdi><span class="card-kind">{bad || (here ? t.value.alreadyHere : kindOf(source))}</span></span>
      {here && <button type="button" class="button" onClick={() => closeSheet(() => openTorrent(here.hash))}>{t.value.open}</button>}
      <button type="button" class="icon-button" aria-label={t.value.sourceDrop} onClick={() => drop(source)}><Icon name="close" /></button>
      {source.kind === 'file' && source.info.files.length > 1 && <Choice source={source} />}
    </li>
  );
}

interface CheckProps { name: 'start' | 'sequential' | 'top'; label: string; options: Options; set: (change: Partial<Options>) => void }

const Check = ({ name, label, options, set }: CheckProps) => (
  <label class="check"><input type="checkbox" checked={options[name]} onChange={e => set({ [name]: e.currentTarget.checked })} />{label}</label>
);

// The folders of what is here, the newest first.
function recentPaths(): string[] {
  const newest = [...rows.values()].sort((a, b) => b.added - a.added);
  return [...new Set(newest.map(row => row.path))].filter(Boolean).slice(0, 10);
}

// Bytes that are missing where the files are to go; 0: they fit, or it is not known.
function shortage(sources: Source[], path: string): number {
  const volume = volumeOf(path);
  if (!volume || volume.error) return 0;
  const size = sources.reduce((n, s) => n + (s.kind !== 'file' ? 0 : s.info.files.reduce((m, f) => m + (s.skip.includes(f.index) ? 0 : f.length), 0)), 0);
  return Math.max(0, size - volume.free);
}

function More({ options, set }: { options: Options; set: (change: Partial<Options>) => void }) {
  const volume = volumeOf(options.path), paths = recentPaths();
  return (
    <details class="more-options">
      <summary>{t.value.addMore}</summary>
      <label class="field"><span>{t.value.addWhere}</span>
        <input type="text" value={options.path} placeholder={t.value.addWhereHint} autocomplete="off" spellcheck={false} list="paths" onInput={e => set({ path: e.currentTarget.value })} />
        <datalist id="paths">{paths.map(path => <option key={path} value={path} />)}</datalist>
      </label>
      {volume && <p class="hint">{t.value.addFree(bytes(volume.free))}</p>}
      <Check {...{ options, set }} name="start" label={t.value.addStart} />
      <Check {...{ options, set }} name="top" label={t.value.addTop} />
      <Check {...{ options, set }} name="sequential" label={t.value.addSequential} />
    </details>
  );
}

interface Sent { failed: Map<string, string>; later: number }

// Those that fail stay, each with its words; what cannot be sent now waits on this device.
async function sendAll(sources: Source[], options: Options): Promise<Sent> {
  const failed = new Map<string, string>();
  let later = 0;
  for (const source of sources) {
    try {
      await send(source, options, keyOf());
      drop(source);
    } catch (error) {
      if (isAway(error)) {
        await sendLater(source, options);
        drop(source);
        later++;
      } else failed.set(source.key, error instanceof Error ? error.message : String(error));
    }
  }
  hasten();
  return { failed, later };
}

function announce({ failed, later }: Sent, all: Source[]): void {
  const done = all.length - failed.size - later;
  if (later > 0) say(t.value.addedLater(later));
  else if (done > 0) say(done === 1 && all.length === 1 ? t.value.added(all[0]!.name) : t.value.addedN(done));
}

export function AddSheet() {
  const options = useSignal<Options>({ path: '', start: true, sequential: false, top: false });
  const failed = useSignal<Map<string, string>>(new Map()), busy = useSignal(false);
  const sources = useComputed(() => [...picked.value, ...sourcesFrom(draft.value)]);
  void tick.value;
  const good = sources.value.filter(s => s.kind !== 'bad' && !(s.kind === 'magnet' && rowOf(s.key)));
  const submit = async (e: Event) => {
    e.preventDefault();
    busy.value = true;
    const sent = await sendAll(good, options.value);
    failed.value = sent.failed;
    busy.value = false;
    announce(sent, good);
    if (sources.value.length === 0) closeSheet();
  };
  const choose = (e: Event) => void addFiles((e.currentTarget as HTMLInputElement).files ?? []);
  const short = shortage(good, options.value.path);
  const foot = (
    <>
    {short > 0 && <p class="wrong" role="status">{t.value.addShort(bytes(short))}</p>}
    <button type="submit" form="add" class="button primary wide" disabled={good.length === 0 || busy.value}>
      {!connected.value ? t.value.addLater : good.length > 1 ? t.value.downloadN(good.length) : t.value.download}
    </button>
    </>
  );
  return (
    <SheetFrame title={t.value.addTitle} foot={foot} tall>
      <form id="add" onSubmit={submit}>
        <label class="field"><span>{t.value.addHint}</span>
          <textarea rows={3} data-autofocus value={draft.value} autocomplete="off" autocapitalize="none" spellcheck={false} dir="ltr" onInput={e => { draft.value = e.currentTarget.value; }} />
        </label>
        <label class="button wide file-button"><Icon name="file" />{t.value.chooseFile}
          <input type="file" multiple class="visually-hidden" onChange={choose} />
        </label>
        {sources.value.length > 0 && <ul class="cards" aria-label={t.value.addTitle}>{sources.value.map(s => <Card key={s.key} source={s} failed={failed.value.get(s.key)} />)}</ul>}
        <More options={options.value} set={change => { options.value = { ...options.value, ...change }; }} />
      </form>
    </SheetFrame>
  );
}
