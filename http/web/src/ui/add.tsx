// SPDX-License-Identifier: MIT
// The sheet that adds: what was pasted, typed, dropped or chosen, each with what becomes of it.
import { useComputed, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { addFiles, draft, picked } from '../adding';
import { ApiError } from '../api';
import { bytes } from '../format';
import { t } from '../i18n/index';
import { connected, hasten } from '../link';
import { isAway, sendLater } from '../outbox';
import { lookAt, looks } from '../preview';
import { closeSheet } from '../sheets';
import { say } from '../snack';
import { keyOf, type Options, send, type Source, sourcesFrom } from '../source';
import { rowOf, rows, tick } from '../store';
import { volumeOf } from '../volumes';
import { Card, drop } from './card';
import { Icon } from './icon';
import { SheetFrame } from './sheet';

interface CheckProps { name: 'start' | 'sequential' | 'top' | 'chooseFirst'; label: string; options: Options; set: (change: Partial<Options>) => void }

const Check = ({ name, label, options, set }: CheckProps) => (
  <label class="check"><input type="checkbox" checked={options[name]} onChange={e => set({ [name]: e.currentTarget.checked })} />{label}</label>
);

// The folders of what is here, the newest first.
function recentPaths(): string[] {
  const newest = [...rows.values()].sort((a, b) => b.added - a.added);
  return [...new Set(newest.map(row => row.path))].filter(Boolean).slice(0, 10);
}

// What of it is wanted; 0: it is not known.
function wantedOf(source: Source): number {
  const look = looks.value.get(source.key), files = source.kind === 'file' ? source.info.files : look?.files ?? [];
  const skip = new Set(source.kind === 'file' ? source.skip : look?.skip);
  return files.reduce((n, f) => n + (skip.has(f.index) ? 0 : f.length), 0);
}

// Bytes that are missing where the files are to go; 0: they fit, or it is not known.
function shortage(sources: Source[], path: string): number {
  const volume = volumeOf(path);
  if (!volume || volume.error) return 0;
  return Math.max(0, sources.reduce((n, s) => n + wantedOf(s), 0) - volume.free);
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
      <Check {...{ options, set }} name="chooseFirst" label={t.value.addChooseFirst} />
      <Check {...{ options, set }} name="sequential" label={t.value.addSequential} />
    </details>
  );
}

interface Sent { failed: Map<string, string>; later: number }

interface Sent { failed: Map<string, string>; later: number }

// Those that fail stay, each with its words; what cannot be sent now waits on this device.
async function sendAll(sources: Source[], options: Options): Promise<Sent> {
  const failed = new Map<string, string>();
  let later = 0;
  for (const source of sources) {
    const look = looks.value.get(source.key);
    try {
      await send(source, options, keyOf(), look?.state === 'ready' ? { preview: look.id, skip: look.skip } : undefined);
      drop(source);
    } catch (error) {
      if (isAway(error)) {
        await sendLater(source, options);
        drop(source);
        later++;
      } else failed.set(source.key, error instanceof ApiError && error.code === 'duplicate' ? t.value.alreadyHere : error instanceof Error ? error.message : String(error));
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

function buttonText(sources: Source[]): string {
  const size = sources.reduce((n, s) => n + wantedOf(s), 0);
  if (!connected.value) return t.value.addLater;
  if (sources.length > 1) return t.value.downloadN(sources.length);
  return sources.length === 1 && size > 0 ? t.value.downloadSize(bytes(size)) : t.value.download;
}

export function AddSheet() {
  const options = useSignal<Options>({ path: '', start: true, sequential: false, top: false, chooseFirst: false });
  const failed = useSignal<Map<string, string>>(new Map()), busy = useSignal(false);
  const sources = useComputed(() => [...picked.value, ...sourcesFrom(draft.value)]);
  void tick.value;
  const good = sources.value.filter(s => s.kind !== 'bad' && !(s.kind === 'magnet' && rowOf(s.key)));
  useEffect(() => lookAt(sources.value), [sources.value, connected.value]);
  useEffect(() => () => lookAt([]), []);
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
    <button type="submit" form="add" class="button primary wide" disabled={good.length === 0 || busy.value}>{buttonText(good)}</button>
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
        {sources.value.length > 0 && <ul class="cards" aria-label={t.value.addTitle}>{sources.value.map(s => <Card key={s.key} source={s} failed={failed.value.get(s.key)} alone={sources.value.length === 1} />)}</ul>}
        <More options={options.value} set={change => { options.value = { ...options.value, ...change }; }} />
      </form>
    </SheetFrame>
  );
}
