// SPDX-License-Identifier: MIT
// A long list of rows of one height, of which only those in sight are in the document.
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';

const OVERSCAN = 6;

interface Props {
  count: number;
  height: number; // px of one row
  label: string;
  item: (i: number) => ComponentChildren;
  reveal?: number; // this row is brought into sight
  class?: string;
}

// The scroller is the nearest ancestor of that class: one for the whole pane.
export function Virtual({ count, height, label, item, reveal, class: more = '' }: Props) {
  const ref = useRef<HTMLUListElement>(null);
  const [range, setRange] = useState<[number, number]>([0, 20]);

  useLayoutEffect(() => {
    const list = ref.current!, scroller = list.closest<HTMLElement>('.scroll')!;
    const look = () => {
      const top = list.getBoundingClientRect().top - scroller.getBoundingClientRect().top;
      const from = Math.max(0, Math.floor(-top / height) - OVERSCAN);
      const to = Math.min(count, Math.ceil((scroller.clientHeight - top) / height) + OVERSCAN);
      setRange(old => (old[0] === from && old[1] === to ? old : [from, to]));
    };
    const sizes = new ResizeObserver(look);
    sizes.observe(scroller);
    scroller.addEventListener('scroll', look, { passive: true });
    look();
    return () => {
      sizes.disconnect();
      scroller.removeEventListener('scroll', look);
    };
  }, [count, height]);

  useLayoutEffect(() => {
    const list = ref.current!, scroller = list.closest<HTMLElement>('.scroll')!;
    if (reveal === undefined || reveal < 0) return;
    const top = list.getBoundingClientRect().top - scroller.getBoundingClientRect().top + reveal * height;
    if (top < 0) scroller.scrollTop += top;
    else if (top + height > scroller.clientHeight) scroller.scrollTop += top + height - scroller.clientHeight;
  }, [reveal]);

  const items = [];
  for (let i = range[0]; i < Math.min(range[1], count); i++) items.push(item(i));
  return <ul ref={ref} class={`virtual ${more}`} aria-label={label} style={{ height: `${count * height}px` }}>{items}</ul>;
}
