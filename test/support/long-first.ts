// The order of the test files: those with real processes first, since each of them mostly waits; those of single parts last, one after
// the other, so that they share the modules that their process has loaded, and the cores are busy to the end.
import { BaseSequencer, type TestSpecification } from 'vitest/node';

export default class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return [0, 1, 2].flatMap((rank) => sorted.filter((file) => rankOf(file) === rank));
  }
}

const rankOf = ({ moduleId, project }: TestSpecification): number => {
  if (project.name === 'parts') return 2;
  return /\/test\/(chaos|demo|e2e|acceptance|deploy)\//.test(moduleId) ? 0 : 1;
};
