// SPDX-License-Identifier: MIT
// Touch on a row: a long press selects, a swipe to either side does what stands behind the row.  Each has a button, too.
import { useRef } from 'preact/hooks';
import { toLeft } from '../i18n/index';

interface Swipe { enabled: boolean; onHold: () => void; onEnd: () => void; onStart: () => void }

const HOLD = 450; // ms
const SLOP = 10; // px that a finger trembles
const ARM = 96; // px until letting go does something
const EDGE = 24; // px at the sides that belong to the system

interface Touch { x: number; y: number; dx: number; timer: number; swiping: boolean; el: HTMLElement }

// In the direction that one reads.
const along = (touch: Touch): number => (toLeft.value ? -touch.dx : touch.dx);

export function useSwipe(swipe: Swipe) {
  const touch = useRef<Touch | null>(null);
  const moved = useRef(false);

  const rest = () => {
    const now = touch.current;
    touch.current = null;
    if (!now) return;
    clearTimeout(now.timer);
    now.el.style.transform = '';
    now.el.parentElement!.classList.remove('armed-end', 'armed-start', 'swiping');
  };
  const begin = (e: PointerEvent) => {
    moved.current = false;
    if (e.pointerType === 'mouse') return;
    const el = e.currentTarget as HTMLElement;
    const timer = window.setTimeout(() => {
      moved.current = true;
      navigator.vibrate?.(10);
      rest();
      swipe.onHold();
    }, HOLD);
    touch.current = { x: e.clientX, y: e.clientY, dx: 0, timer, swiping: false, el };
  };
  const move = (e: PointerEvent) => {
    const now = touch.current;
    if (!now) return;
    now.dx = e.clientX - now.x;
    const dy = Math.abs(e.clientY - now.y), dx = Math.abs(now.dx);
    if (dx > SLOP || dy > SLOP) clearTimeout(now.timer);
    const inner = now.x > EDGE && now.x < innerWidth - EDGE;
    if (!now.swiping && swipe.enabled && inner && dx > 12 && dx > 2 * dy) {
      now.swiping = moved.current = true;
      now.el.setPointerCapture(e.pointerId);
      now.el.parentElement!.classList.add('swiping');
    }
    if (!now.swiping) return;
    now.el.style.transform = `translateX(${now.dx}px)`;
    now.el.parentElement!.classList.toggle('armed-end', along(now) > ARM);
    now.el.parentElement!.classList.toggle('armed-start', along(now) < -ARM);
  };
  const end = () => {
    const now = touch.current;
    rest();
    if (!now?.swiping) return;
    if (along(now) > ARM) swipe.onEnd();
    else if (along(now) < -ARM) swipe.onStart();
  };
  const menu = (e: Event) => {
    if (touch.current || moved.current) e.preventDefault();
  };
  return {
    moved: () => moved.current,
    handlers: { onPointerDown: begin, onPointerMove: move, onPointerUp: end, onPointerCancel: rest, onContextMenu: menu },
  };
}
