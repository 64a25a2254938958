// SPDX-License-Identifier: MIT
// A tree of files with boxes that have three states, and a priority for each.
import { useSignal } from '@preact/signals';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { bytes } from '../format';
import { t } from '../i18n/index';
import { scale } from '../media';
import { buildTree, type FileEntry, flatten, type Node } from '../tree';
import { Icon } from './icon';
import { Name } from './row';
import { Virtual } from './virtual';

const HEIGHT = 56; // px, at the usual size of letters
const PRIORITIES = ['skip', 'low', 'normal', 'high'];
const MANY = 40; // children, beyond which a folder begins closed

interface Props { files: FileEntry[]; onPriority: (indices: number[], priority: string) => void; brief?: boolean; readOnly?: boolean; hash?: string }

// Sound and pictures are shown by the browser, all else it saves (http/api/content.c).
const contentOf = (hash: string, node: Node): string => `api/v1/torrents/${hash}/files/${node.files[0]}/content`;
const isWhole = (node: Node): boolean => node.size > 0 && node.done >= node.size;

function Box({ node, set, off }: { node: Node; set: (priority: string) => void; off: boolean }) {
  const ref = useRef<HTMLInputElement>(null);
  const all = node.wanted === node.files.length;
  useEffect(() => { ref.current!.indeterminate = node.wanted > 0 && !all; });
  return (
    <label class="row-box">
      <input ref={ref} type="checkbox" checked={all} disabled={off} aria-label={t.value.wantedOf(node.name)} onChange={() => set(all ? 'skip' : 'normal')} />
    </label>
  );
}

const Priority = ({ node, set, off }: { node: Node; set: (priority: string) => void; off: boolean }) => (
  <select class="priority" value={node.priority} disabled={off} aria-label={t.value.priorityOf(node.name)} onChange={e => set(e.currentTarget.value)}>
    {node.priority === 'mixed' && <option value="mixed">{t.value.priorities.mixed}</option>}
    {PRIORITIES.map(p => <option key={p} value={p}>{t.value.priorities[p]}</option>)}
  </select>
);

export function FileTree({ files, onPriority, brief = false, readOnly = false, hash }: Props) {
  const changed = useSignal<ReadonlySet<string>>(new Set()); // folders that are not as they began
  const tree = useMemo(() => buildTree(files), [files]);
  const begins = (node: Node) => node.depth === 0 || node.children.length <= MANY;
  const byKey = new Map<string, boolean>();
  const open = (key: string) => byKey.get(key) !== changed.value.has(key);
  const walk = (nodes: Node[]) => nodes.forEach(node => {
    if (node.children.length === 0) return;
    byKey.set(node.key, begins(node));
    walk(node.children);
  });
  walk(tree);
  const nodes = flatten(tree, open);
  const toggle = (key: string) => {
    const next = new Set(changed.value);
    if (!next.delete(key)) next.add(key);
    changed.value = next;
  };
  const height = Math.round(HEIGHT * scale.value);
  const item = (i: number) => {
    const node = nodes[i]!, folder = node.children.length > 0, set = (p: string) => onPriority(node.files, p);
    return (
      <li key={node.key} class={`file ${node.wanted === 0 ? 'file-skipped' : ''}`} style={{ transform: `translateY(${i * height}px)`, height: `${height}px`, paddingInlineStart: `${Math.min(node.depth, 5) * 16}px` }}>
        <Box node={node} set={set} off={readOnly} />
        {folder
          ? <button type="button" class="file-name" aria-expanded={open(node.key)} onClick={() => toggle(node.key)}><Icon name={open(node.key) ? 'open' : 'forth'} class="file-icon" /><FileText node={node} brief={brief} /></button>
          : hash && isWhole(node)
            ? <a class="file-name" href={contentOf(hash, node)} target="_blank" rel="noopener noreferrer"><FileText node={node} brief={brief} opens /></a>
            : <span class="file-name"><FileText node={node} brief={brief} /></span>}
        {!brief && <Priority node={node} set={set} off={readOnly} />}
      </li>
    );
  };
  return <Virtual count={nodes.length} height={height} label={t.value.filesName} item={item} class="files" />;
}

function FileText({ node, brief, opens = false }: { node: Node; brief: boolean; opens?: boolean }) {
  const share = node.size > 0 ? node.done / node.size : 1;
  return (
    <span class="file-text">
      <Name name={node.name} />
      {!brief && <span class="bar bar-down" aria-hidden="true"><i style={{ width: `${share * 100}%` }} /></span>}
      <span class="file-facts">{opens ? t.value.opens(bytes(node.size)) : brief ? bytes(node.size) : t.value.of(bytes(node.done), bytes(node.size))}</span>
    </span>
  );
}
