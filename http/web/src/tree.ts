// SPDX-License-Identifier: MIT
// Files as a tree of folders, with what is wanted and done summed up in each.

export interface FileEntry { index: number; path: string; length: number; done: number; priority: string }

export interface Node {
  key: string; // its whole path
  name: string;
  depth: number;
  children: Node[]; // empty: a file
  files: number[]; // indices of all files in it
  size: number;
  done: number;
  wanted: number; // how many of its files
  priority: string; // of all of them, or "mixed"
}

const folder = (key: string, name: string, depth: number): Node =>
  ({ key, name, depth, children: [], files: [], size: 0, done: 0, wanted: 0, priority: '' });

function account(node: Node, file: FileEntry): void {
  node.files.push(file.index);
  node.size += file.length;
  node.done += file.done;
  if (file.priority !== 'skip') node.wanted++;
  if (node.priority === '') node.priority = file.priority;
  else if (node.priority !== file.priority) node.priority = 'mixed';
}

// In the order of the files; a folder stands where its first file does.
export function buildTree(files: FileEntry[]): Node[] {
  const root = folder('', '', -1), folders = new Map<string, Node>([['', root]]);
  for (const file of files) {
    const parts = file.path.split('/'), above = [root];
    let key = '';
    for (const part of parts.slice(0, -1)) {
      const parent = above[above.length - 1]!;
      key = key ? `${key}/${part}` : part;
      let node = folders.get(`${key}/`);
      if (!node) {
        node = folder(`${key}/`, part, above.length - 1);
        folders.set(`${key}/`, node);
        parent.children.push(node);
      }
      above.push(node);
    }
    const leaf = folder(`${file.path}#${file.index}`, parts[parts.length - 1]!, parts.length - 1);
    above[above.length - 1]!.children.push(leaf);
    for (const node of [...above, leaf]) account(node, file);
  }
  return root.children;
}

// The nodes that are in sight when those folders are open.
export function flatten(nodes: Node[], open: (key: string) => boolean, out: Node[] = []): Node[] {
  for (const node of nodes) {
    out.push(node);
    if (node.children.length > 0 && open(node.key)) flatten(node.children, open, out);
  }
  return out;
}
