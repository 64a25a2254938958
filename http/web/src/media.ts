// SPDX-License-Identifier: MIT
// How much room there is: one pane, two, or three.
import { signal } from '@preact/signals';

const two = matchMedia('(min-width: 840px)');
const three = matchMedia('(min-width: 1200px)');
const look = (): number => (three.matches ? 3 : two.matches ? 2 : 1);

export const panes = signal(look());
for (const query of [two, three]) query.addEventListener('change', () => { panes.value = look(); });
