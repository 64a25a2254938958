// SPDX-License-Identifier: MIT
// One icon of the sprite; what it means is said beside it, or by the control it is in.
import type { IconName } from '../icons';

export const Icon = ({ name, class: more = '' }: { name: IconName; class?: string }) => (
  <svg class={`icon ${more}`} aria-hidden="true"><use href={`#i-${name}`} /></svg>
);
