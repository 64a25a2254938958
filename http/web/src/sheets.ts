// SPDX-License-Identifier: MIT
// Which sheet is open: one at a time, and Back closes it.
import { signal } from '@preact/signals';
import { popLayer, pushLayer } from './router';
import type { Row } from './store';

export type Sheet =
  | { kind: 'add' }
  | { kind: 'remove'; rows: Row[] }
  | { kind: 'sort' }
  | { kind: 'settings' }
  | { kind: 'keys' }
  | { kind: 'now' }
  | { kind: 'devices' }
  | { kind: 'options' }
  | { kind: 'removed' }
  | { kind: 'more'; row: Row };

export const sheet = signal<Sheet | null>(null);
let opener: Element | null = null; // has the focus when it is closed

function closed(): void {
  sheet.value = null;
  const back = opener;
  opener = null;
  if (back instanceof HTMLElement && back.isConnected) back.focus({ preventScroll: true });
}

// A second one takes the place of the first.
export function openSheet(next: Sheet): void {
  const first = sheet.value === null;
  if (first) opener = document.activeElement;
  sheet.value = next;
  if (first) pushLayer(closed);
}

export const closeSheet = (then?: () => void): void => (sheet.value ? popLayer(then) : then?.());
