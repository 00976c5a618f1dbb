/** Which words the step that removes a flag is told to take away, and which files it is told to leave alone. */
import { describe, expect, it } from 'vitest';
import { flagSources } from '../../src/kubelet/source.js';
import { surveyKubelet } from '../../src/kubelet/survey.js';
import type { RunningKubelet } from '../../src/kubelet/survey.js';
import { predictCommandLine, removeWords } from '../../src/systemd/index.js';
import { askCase } from './ask-case.js';
import type { NodeCase } from './case-schema.js';

const FLAG = 'streaming-connection-idle-timeout';
const ARGV = ['/usr/bin/kubelet', '--config', '/etc/kubernetes/kubelet/kubelet-config.json', '--node-ip=10.0.0.1'];

function survey(node: NodeCase): RunningKubelet {
  const { result } = askCase(surveyKubelet('kubelet.service'), node);
  if (result.state !== 'running') throw new Error(`expected a running kubelet, got ${result.state}`);
  return result;
}

describe('flagSources', () => {
  it('names every occurrence, one word or two, in either spelling, and removing just those words leaves all others', () => {
    const seen = survey({ flags: [`--${FLAG}=0`, '--v=2', '--streaming_connection_idle_timeout', '4h'] });
    const { occurrences, goesAtRestart, unknownSource } = flagSources(seen, FLAG);
    expect(occurrences.map(({ value, indexes }) => [value, indexes])).toEqual([['0', [4]], ['4h', [6, 7]]]);
    expect([goesAtRestart, unknownSource]).toEqual([false, undefined]);
    if (!seen.next.predicted) throw new Error('expected a prediction');
    const removal = removeWords(seen.next.sources, occurrences.flatMap(({ indexes }) => indexes));
    expect(removal.ok && removal.changes.map(({ after }) => after)).toEqual(["[Service]\nEnvironment='KUBELET_ARGS=--node-ip=10.0.0.1 --v=2'\n"]);
  });

  it('counts from the words of hyperkube as from those of kubelet', () => {
    const seen = survey({
      fragment: `[Service]\nExecStart=/hyperkube kubelet --${FLAG} 0\n`, dropIns: {},
      process: { exe: '/hyperkube', argv: ['/hyperkube', 'kubelet', `--${FLAG}`, '0'] },
    });
    const [occurrence] = flagSources(seen, FLAG).occurrences;
    expect(occurrence?.indexes).toEqual([2, 3]);
    const words = seen.next.predicted ? predictCommandLine(seen.next.sources).words : [];
    expect(occurrence?.indexes.map((index) => words[index]?.value)).toEqual([`--${FLAG}`, '0']);
  });

  it('says that the source is unknown when no file explains the flag', () => {
    const sources = flagSources(survey({ process: { argv: [...ARGV, `--${FLAG}=0`] } }), FLAG);
    expect(sources).toMatchObject({ occurrences: [], goesAtRestart: false, unknownSource: expect.stringContaining('no unit file') });
  });

  it('does not call the source unknown when the files were changed since the start: a restart takes the flag away', () => {
    const sources = flagSources(survey({ needReload: true, process: { argv: [...ARGV, `--${FLAG}=0`] } }), FLAG);
    expect(sources).toMatchObject({ occurrences: [], goesAtRestart: true });
    expect(sources.unknownSource).toBeUndefined();
  });

  it('says that the source is unknown behind a wrapper script', () => {
    const node: NodeCase = { fragment: '[Service]\nExecStart=/usr/local/bin/start.sh\n', dropIns: {}, flags: [`--${FLAG}=0`] };
    expect(flagSources(survey(node), FLAG).unknownSource).toContain('a way of its own');
  });

  it('names files whose text has the flag though it reaches nothing, and not those whose longer flag only begins alike', () => {
    const node: NodeCase = {
      flags: [],
      dropIns: {
        '/etc/systemd/system/kubelet.service.d/10-a.conf': `[Service]\nEnvironment='KUBELET_ARGS=--node-ip=10.0.0.1' 'OTHER=--streaming_connection_idle_timeout=0'\n`,
        '/etc/systemd/system/kubelet.service.d/20-b.conf': `[Service]\n# --${FLAG}-other=0\nNice=5\n`,
      },
    };
    expect(flagSources(survey(node), FLAG).mentions).toEqual([expect.stringContaining('10-a.conf')]);
  });

  it('calls no file useless when the flag is put together from several places', () => {
    const node: NodeCase = {
      fragment: `[Service]\nExecStart=/usr/bin/kubelet --${FLAG}=\${TIMEOUT}\n`,
      dropIns: { '/etc/systemd/system/kubelet.service.d/10-a.conf': `[Service]\n# for --${FLAG}\nEnvironment=TIMEOUT=0\n` },
      process: { argv: ['/usr/bin/kubelet', `--${FLAG}=0`] },
    };
    const { occurrences, mentions } = flagSources(survey(node), FLAG);
    expect(occurrences).toMatchObject([{ value: '0', indexes: [1], origin: { variable: 'TIMEOUT' } }]);
    expect(mentions).toEqual([]);
  });
});
