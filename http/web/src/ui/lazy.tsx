// SPDX-License-Identifier: MIT
// A sheet whose code comes when it is opened.  Where it has gone, because the page is of another build, the page is loaded anew.
import type { ComponentType } from 'preact';
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { t } from '../i18n/index';
import { SheetFrame } from './sheet';

export function LazySheet({ load }: { load: () => Promise<ComponentType> }) {
  const loaded = useSignal<{ part: ComponentType } | null>(null);
  useEffect(() => void load().then(part => { loaded.value = { part }; }, () => location.reload()), []);
  const Part = loaded.value?.part;
  return Part ? <Part /> : <SheetFrame title={t.value.loading} tall><p class="hint" aria-busy="true">{t.value.loading}</p></SheetFrame>;
}
