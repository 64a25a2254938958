// SPDX-License-Identifier: MIT
// How the page looks: what was chosen, or what the system wants, as one word that the style sheet knows.
import { effect, signal } from '@preact/signals';
import { prefs } from './prefs';

export type Look = 'light' | 'dark' | 'black' | 'contrast' | 'contrast-dark';

const dark = matchMedia('(prefers-color-scheme: dark)');
const contrast = matchMedia('(prefers-contrast: more)');

const wanted = (): Look => (contrast.matches ? (dark.matches ? 'contrast-dark' : 'contrast') : dark.matches ? 'dark' : 'light');
const system = signal(wanted());
for (const query of [dark, contrast]) query.addEventListener('change', () => { system.value = wanted(); });

export const look = signal<Look>('light'); // what is drawn by hand reads it, to be drawn again

// The bar of the system above the page has its colour.
function paint(): void {
  look.value = prefs.value.theme === 'auto' ? system.value : prefs.value.theme;
  document.documentElement.dataset.look = look.value;
  const colour = getComputedStyle(document.documentElement).getPropertyValue('--bg').trim();
  for (const meta of document.querySelectorAll('meta[name="theme-color"]')) meta.setAttribute('content', colour);
}

export const startLook = (): void => void effect(paint);
