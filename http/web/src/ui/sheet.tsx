// SPDX-License-Identifier: MIT
// The frame of a sheet: a modal dialog that comes from below on a phone, and stands in the middle elsewhere.  What is said
// meanwhile is said in it: nothing else is heard, or can be pressed.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../i18n/index';
import { closeSheet } from '../sheets';
import { Icon } from './icon';
import { Snackbar } from './snackbar';

interface Props { title: ComponentChildren; children: ComponentChildren; foot?: ComponentChildren; tall?: boolean }

export function SheetFrame({ title, children, foot, tall = false }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const el = dialog.current!;
    el.showModal();
    el.querySelector<HTMLElement>('[data-autofocus]')?.focus();
  }, []);
  const cancel = (e: Event) => {
    e.preventDefault();
    closeSheet();
  };
  const outside = (e: MouseEvent) => {
    if (e.target === dialog.current) closeSheet();
  };
  return (
    <dialog ref={dialog} class={`sheet ${tall ? 'sheet-tall' : ''}`} aria-labelledby="sheet-title" onCancel={cancel} onClick={outside}>
      <div class="sheet-in">
        <header class="sheet-head">
          <h2 id="sheet-title">{title}</h2>
          <button type="button" class="icon-button" aria-label={t.value.close} onClick={() => closeSheet()}><Icon name="close" /></button>
        </header>
        <div class="sheet-body scroll" tabIndex={-1}>{children}</div>
        {foot && <footer class="sheet-foot">{foot}</footer>}
      </div>
      <Snackbar />
    </dialog>
  );
}
