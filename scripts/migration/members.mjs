// What the exports of Temporal's packages have as members (enum keys, methods, properties, options) that ours lack. TypeScript's interface for
// programs reads the types, so that inherited, intersected and mapped members count. Used by a test only.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SyntaxKind } from 'typescript/unstable/ast';
import { API, SymbolFlags } from 'typescript/unstable/sync';

const DECLARED = SymbolFlags.Class | SymbolFlags.Interface | SymbolFlags.TypeAlias;
const VALUE = SymbolFlags.Class | SymbolFlags.Variable | SymbolFlags.Enum;

/** Underscored members are internal; symbols have names that begin so, too. */
const isPublic = (name) => !name.startsWith('_') && name !== 'prototype' && !/^\d+$/.test(name);

/** Private and protected members are in the declarations, too. */
function isHidden(symbol, project) {
  const { modifiers = [] } = symbol.declarations[0]?.resolve(project) ?? {};
  return modifiers.some(({ kind }) => kind === SyntaxKind.PrivateKeyword || kind === SyntaxKind.ProtectedKeyword);
}

/** By name, `static` before those of a value. */
function membersOf(checker, symbol) {
  const found = new Map();
  const add = (type, prefix) => {
    for (const part of type.isUnionType() ? type.getTypes() : [type]) {
      for (const member of checker.getPropertiesOfType(part)) {
        if (isPublic(member.name)) found.set(prefix + member.name, member);
      }
    }
  };
  if (symbol.flags & DECLARED) add(checker.getDeclaredTypeOfSymbol(symbol), '');
  const type = symbol.flags & VALUE ? checker.getTypeOfSymbol(symbol) : undefined;
  if (type !== undefined) add(type, 'static ');
  return found;
}

/**
 * @param {string} root Of the project; its `dist` must be built.
 * @param {string[]} packages Their last names.
 * @returns {string[]} `package: Export.member`, and `package: Export.static member` for those of values; sorted. Exports we do not have at all
 * are the migration table's.
 */
export function missingMembers(root, packages) {
  const folder = mkdtempSync(join(tmpdir(), 'tenuto-members-'));
  const api = new API({ cwd: root });
  try {
    const file = join(folder, 'main.ts');
    const line = (name) =>
      `export * as theirs_${name} from '${root}/node_modules/@temporalio/${name}/lib/index.js';\n` +
      `export * as ours_${name} from '${root}/dist/sdk/${name}/index.js';\n`;
    writeFileSync(file, packages.map(line).join(''));
    const config = join(folder, 'tsconfig.json');
    const compilerOptions = {
      ...{ strict: true, module: 'nodenext', target: 'es2022', skipLibCheck: true, noEmit: true },
      ...{ types: ['node'], typeRoots: [join(root, 'node_modules/@types')] },
    };
    writeFileSync(config, JSON.stringify({ compilerOptions, files: ['main.ts'] }));
    const project = api.updateSnapshot({ openProject: config }).getProject(config);
    const { checker, program } = project;
    const module = checker.getSymbolAtLocation(program.getSourceFile(file));
    const resolved = (symbol) => (symbol.flags & SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol);
    const exportsOf = (symbol) =>
      new Map(checker.getExportsOfModule(resolved(symbol)).map((found) => [found.name, resolved(found)]));
    const modules = exportsOf(module);
    const missing = [];
    for (const name of packages) {
      const ours = exportsOf(modules.get(`ours_${name}`));
      for (const [exported, theirs] of exportsOf(modules.get(`theirs_${name}`))) {
        const own = ours.get(exported);
        if (own === undefined) continue;
        const members = membersOf(checker, own);
        for (const [member, symbol] of membersOf(checker, theirs)) {
          if (!members.has(member) && !isHidden(symbol, project)) missing.push(`${name}: ${exported}.${member}`);
        }
      }
    }
    return missing.sort();
  } finally {
    api.close();
    rmSync(folder, { recursive: true });
  }
}
