// SPDX-License-Identifier: MIT
// What waits on this device to be added, above the torrents that are there.
import { t } from '../i18n/index';
import { dropWaiting, waiting } from '../outbox';
import { Icon } from './icon';

export const Ghosts = () => (waiting.value.length === 0 ? null : (
  <ul class="ghosts" aria-label={t.value.ghosts}>{waiting.value.map(entry => (
    <li key={entry.key} class="ghost">
      <Icon name={entry.wrong ? 'error' : 'queued'} />
      <span class="card-text"><bdi class="card-name">{entry.source.name}</bdi><span class="card-kind">{entry.wrong || t.value.ghost}</span></span>
      <button type="button" class="icon-button" aria-label={`${t.value.sourceDrop}: ${entry.source.name}`} onClick={() => void dropWaiting(entry)}><Icon name="close" /></button>
    </li>
  ))}</ul>
));
