// SPDX-License-Identifier: MIT
// Finds words for people in the components: all of them belong to the catalogue (src/i18n), or no other language has them.
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const SPOKEN = new Set(['aria-label', 'aria-description', 'title', 'placeholder', 'alt', 'label', 'aria-roledescription']);
const WORD = /\p{L}{2,}/u;

const sources = folder => readdirSync(folder, { withFileTypes: true }).flatMap(e =>
  e.isDirectory() ? sources(join(folder, e.name)) : e.name.endsWith('.tsx') ? [join(folder, e.name)] : []);

// What a node says by itself, without being asked of the catalogue.
function spoken(ts, node) {
  if (ts.isJsxText(node)) return node.text;
  if (ts.isJsxAttribute(node) && SPOKEN.has(node.name.getText()) && node.initializer && ts.isStringLiteral(node.initializer)) return node.initializer.text;
  if (ts.isJsxExpression(node) && node.expression && ts.isStringLiteralLike(node.expression) && !ts.isJsxAttribute(node.parent)) return node.expression.text;
  return '';
}

export function findLiterals(ts, root) {
  const found = [];
  for (const path of sources(root)) {
    const file = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX);
    const walk = node => {
      const text = spoken(ts, node);
      if (WORD.test(text)) found.push(`${relative(root, path)}:${file.getLineAndCharacterOfPosition(node.getStart()).line + 1}: "${text.trim()}" belongs to i18n/en.ts`);
      ts.forEachChild(node, walk);
    };
    walk(file);
  }
  return found;
}
