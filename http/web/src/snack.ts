// SPDX-License-Identifier: MIT
// One line at the bottom that says what was done, with a way back; it is read out, too.
import { signal } from '@preact/signals';

export interface Snack { text: string; bad: boolean; action?: { label: string; run: () => void } }

const STAYS = 8000; // ms, longer while it is looked at

export const snack = signal<Snack | null>(null);
let timer = 0;

export function say(text: string, more: Partial<Snack> = {}): void {
  snack.value = { text, bad: false, ...more };
  resume();
}

export function hold(): void {
  clearTimeout(timer);
}

export function resume(): void {
  clearTimeout(timer);
  timer = window.setTimeout(hush, STAYS);
}

export function hush(): void {
  clearTimeout(timer);
  snack.value = null;
}
