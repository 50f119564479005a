// The workflows' bundle a worker was given, read or made.

import { readFile } from 'node:fs/promises';
import type { WorkerOptions } from './options.ts';
import { bundleWorkflowCode, type WorkflowBundle } from './runtime/bundle.ts';

type BundleSource = Pick<
  WorkerOptions,
  'workflowsPath' | 'workflowBundle' | 'bundlerOptions' | 'dataConverter' | 'interceptors' | 'plugins'
>;

/**
 * Undefined without workflows.
 *
 * @throws WorkflowBundleError, with file and line, for workflows that do not compile.
 */
export async function loadBundle(options: BundleSource): Promise<WorkflowBundle | undefined> {
  const { workflowBundle, workflowsPath, dataConverter } = options;
  if (workflowBundle !== undefined) {
    if ('codePath' in workflowBundle) {
      const { codePath, sourceMapPath } = workflowBundle;
      const [code = '', sourceMap = ''] = await Promise.all(
        [codePath, ...(sourceMapPath === undefined ? [] : [sourceMapPath])].map((path) => readFile(path, 'utf8')),
      );
      return { code, sourceMap };
    }
    if (typeof workflowBundle.code !== 'string') {
      throw new TypeError('Invalid WorkerOptions.workflowBundle: it has neither code nor codePath');
    }
    return { code: workflowBundle.code, sourceMap: workflowBundle.sourceMap ?? '' };
  }
  if (workflowsPath === undefined) return undefined;
  return bundleWorkflowCode({
    workflowsPath,
    payloadConverterPath: dataConverter?.payloadConverterPath,
    failureConverterPath: dataConverter?.failureConverterPath,
    ...options.bundlerOptions,
    workflowInterceptorModules: options.interceptors?.workflowModules,
    plugins: options.plugins,
  });
}
