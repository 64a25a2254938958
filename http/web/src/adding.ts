// SPDX-License-Identifier: MIT
// What is about to be added: text and files, from wherever they come.
import { signal } from '@preact/signals';
import { prefs } from './prefs';
import { openSheet } from './sheets';
import { isSource, type Source, sourceOf, sourcesFrom } from './source';
import { rowOf } from './store';

export const draft = signal(''); // the field's text
export const picked = signal<Source[]>([]); // files

export function addText(text: string): void {
  draft.value = [draft.value.trim(), text.trim()].filter(Boolean).join('\n');
  openSheet({ kind: 'add' });
}

export async function addFiles(files: Iterable<File>): Promise<void> {
  const found = await Promise.all([...files].slice(0, 200).map(sourceOf));
  const old = new Set(found.map(s => s.key));
  picked.value = [...picked.value.filter(s => !old.has(s.key)), ...found];
  openSheet({ kind: 'add' });
}

// Within the gesture, which is when browsers let a page look at the clipboard.
export function openAdd(): void {
  openSheet({ kind: 'add' });
  if (!prefs.value.clipboard || draft.value || !navigator.clipboard?.readText) return;
  navigator.clipboard.readText().then(
    text => {
      const news = isSource(text) && sourcesFrom(text).some(s => !rowOf(s.key));
      if (news && draft.value === '') draft.value = text.trim();
    },
    () => undefined, // it is not allowed, or there is no text
  );
}
