// SPDX-License-Identifier: MIT
// One icon of the sprite; what it means is said beside it, or by the control it is in.
import type { IconName } from '../icons';

const TURNS = new Set<IconName>(['back', 'forth', 'paste']); // mirrored where one reads from the right

export const Icon = ({ name, class: more = '' }: { name: IconName; class?: string }) => (
  <svg class={`icon ${TURNS.has(name) ? 'icon-turns' : ''} ${more}`} aria-hidden="true"><use href={`#i-${name}`} /></svg>
);
