// SPDX-License-Identifier: MIT
// The daemon's own settings, made of what it says of each: its type, range, default, where it was set, and whether it may be changed here.
import { type Signal, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { change, get } from '../api';
import { exact } from '../exact';
import { t } from '../i18n/index';
import { say } from '../snack';
import { fold } from '../store';
import { SheetFrame } from './sheet';

interface Option {
  name: string; type: string; unit?: string; choices?: string[]; default: string; value: unknown; origin: { kind: string; where: string };
  live: boolean; locked?: string | null; doc: string;
}
interface Section { name: string; doc: string; options: Option[] }

type Save = (option: Option, value: unknown) => void;

function Control({ option: o, save }: { option: Option; save: Save }) {
  const text = useSignal<string | null>(null), off = Boolean(o.locked), was = exact(o.type, o.value);
  if (o.type === 'bool') return <input type="checkbox" class="option-box" checked={o.value === true} disabled={off} aria-label={o.name} onChange={e => save(o, e.currentTarget.checked)} />;
  if (o.choices) return (
    <select class="priority" value={was} disabled={off} aria-label={o.name} onChange={e => save(o, e.currentTarget.value)}>
      {o.choices.map(c => <option key={c} value={c}>{c}</option>)}
    </select>
  );
  if (o.type === 'secret') return <span class="hint">{o.value === true ? '••••' : '–'}</span>;
  const now = text.value ?? was;
  const submit = (e: Event) => {
    e.preventDefault();
    text.value = null;
    save(o, o.type === 'list' ? now.split(',').map(v => v.trim()).filter(Boolean) : o.type === 'int' ? Number(now) : now);
  };
  return (
    <form class="option-form" onSubmit={submit}>
      <input type="text" class="priority option-text" value={now} disabled={off} aria-label={o.name} placeholder={o.type === 'list' ? t.value.optionList : ''} autocomplete="off" spellcheck={false}
        onInput={e => { text.value = e.currentTarget.value; }} />
      {now !== was && <button type="submit" class="button small">{t.value.apply}</button>}
    </form>
  );
}

const FIXED = ['default', 'command line', 'environment', 'file'];

function Item({ option: o, save }: { option: Option; save: Save }) {
  const w = t.value, chips = [o.origin.kind === 'default' ? '' : w.optionFrom(o.origin.where), w.optionDefault(o.default), o.live ? '' : w.optionRestart].filter(Boolean);
  return (
    <li class="option">
      <div class="option-head"><code class="option-name">{o.name}</code><Control option={o} save={save} /></div>
      <p class="hint">{o.doc}</p>
      <p class="option-facts">{chips.join(' · ')}{!FIXED.includes(o.origin.kind) && !o.locked && <button type="button" class="button small" onClick={() => save(o, null)}>{w.optionReset}</button>}</p>
      {o.locked && <p class="hint option-locked">{o.locked}</p>}
    </li>
  );
}

function useOptions(): { sections: Signal<Section[]>; save: Save } {
  const sections = useSignal<Section[]>([]);
  const look = () => get<{ sections: Section[] }>('api/v1/settings').then(v => { sections.value = v.sections; });
  useEffect(() => void look().catch((error: Error) => say(error.message, { bad: true })), []);
  const save = async (option: Option, value: unknown) => {
    try {
      await change('PATCH', 'api/v1/settings', {}, { [option.name]: value });
      say(t.value.optionSaved(option.name));
    } catch (error) {
      say((error as Error).message, { bad: true });
    }
    await look().catch(() => undefined);
  };
  return { sections, save: (option, value) => void save(option, value) };
}

export function OptionsSheet() {
  const { sections, save } = useOptions(), query = useSignal('');
  const words = fold(query.value).split(/\s+/).filter(Boolean);
  const fits = (o: Option) => words.every(word => fold(`${o.name} ${o.doc}`).includes(word));
  return (
    <SheetFrame title={t.value.daemonSettings} tall>
      <input type="search" class="search-field option-search" value={query.value} placeholder={t.value.optionSearch} aria-label={t.value.optionSearch} autocomplete="off" onInput={e => { query.value = e.currentTarget.value; }} />
      {sections.value.map(section => {
        const found = section.options.filter(fits);
        return found.length > 0 && (
          <details key={section.name} class="section" open={words.length > 0}>
            <summary><span>{section.name}</span><span class="hint section-doc">{section.doc}</span></summary>
            <ul>{found.map(o => <Item key={o.name} option={o} save={save} />)}</ul>
          </details>
        );
      })}
    </SheetFrame>
  );
}
