// SPDX-License-Identifier: MIT
// The line that says what was done.  Its region is always there, or nobody would hear it.
import { t } from '../i18n/index';
import { hold, hush, resume, snack } from '../snack';
import { Icon } from './icon';

export function Snackbar() {
  const now = snack.value;
  const act = () => {
    hush();
    now?.action?.run();
  };
  return (
    <div class="snack-place" role="status" aria-live="polite">
      {now && (
        <div class={`snack ${now.bad ? 'snack-bad' : ''}`} onPointerEnter={hold} onPointerLeave={resume} onFocusIn={hold} onFocusOut={resume}>
          <bdi class="snack-text">{now.text}</bdi>
          {now.action && <button type="button" class="snack-action" onClick={act}>{now.action.label}</button>}
          <button type="button" class="icon-button" aria-label={t.value.close} onClick={hush}><Icon name="close" /></button>
        </div>
      )}
    </div>
  );
}
