/** What a person calls the same change, on fleets whose files name their own node. */
import { describe, expect, it } from 'vitest';
import { changeKey, changeKind, groupPlans } from '../../src/core/group-plans.js';
import type { HostPlan } from '../../src/core/plan.js';

const FINDING = { verdict: 'fail', summary: '', expected: '', actual: '', readings: [], drift: [], notes: [] } as const;

function planOf(host: string, line: string, title = 'take --x off the command line in /etc/f'): HostPlan {
  const edit = { do: 'write', path: '/etc/f', before: 'b', after: 'a', content: '' } as const;
  return { host, finding: FINDING, notes: [], steps: [{ id: '1', title, phase: 'change', edit, diff: `-${line} --x=0\n+${line}\n` }] };
}

describe('hosts whose diffs differ', () => {
  it('in their own address and name alone fold into one change, and that is said', () => {
    const groups = groupPlans([planOf('node-1', '--node-ip=10.0.0.1 --hostname-override=node-1'), planOf('node-2', '--node-ip=10.0.0.2 --hostname-override=node-2')]);
    expect(groups.map(({ hosts, differs }) => [hosts, differs])).toEqual([[['node-1', 'node-2'], true]]);
  });
  it('in nothing fold, and nothing is said', () => {
    expect(groupPlans([planOf('a', '--v=2'), planOf('b', '--v=2')]).map(({ hosts, differs }) => [hosts, differs])).toEqual([[['a', 'b'], false]]);
  });
  it.each([
    ['another value', planOf('node-1', '--max-pods=17'), planOf('node-2', '--max-pods=29')],
    ['the name of another node', planOf('node-1', '--peer=node-3'), planOf('node-2', '--peer=node-4')],
    ['a longer name that holds the own one', planOf('node-1', '--x=node-1-b'), planOf('node-2', '--x=node-2-c')],
  ])('in %s are two changes', (_, left, right) => {
    expect(changeKey(left)).not.toBe(changeKey(right));
  });
  it('in values alone are of one kind; another file is another kind', () => {
    expect(changeKind(planOf('node-1', '--max-pods=17'))).toBe(changeKind(planOf('node-2', '--max-pods=29')));
    expect(changeKind(planOf('node-1', '--v=2'))).not.toBe(changeKind(planOf('node-1', '--v=2', 'take --x off the command line in /etc/g')));
  });
});
