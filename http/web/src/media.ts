// SPDX-License-Identifier: MIT
// How much room there is: one pane, two, or three; and how large letters are.
import { signal } from '@preact/signals';

const two = matchMedia('(min-width: 52.5em)');
const three = matchMedia('(min-width: 75em)');
const look = (): number => (three.matches ? 3 : two.matches ? 2 : 1);

export const panes = signal(look());
for (const query of [two, three]) query.addEventListener('change', () => { panes.value = look(); });

// How many times the usual 16 px a rem has: heights that scripts reckon with grow with the letters.
const measure = (): number => parseFloat(getComputedStyle(document.documentElement).fontSize) / 16 || 1;

export const scale = signal(measure());
addEventListener('resize', () => { scale.value = measure(); });
