/** What kn says word for word, so that scripts written for it go on working. */
export const sentences = {
  created: (noun: string, name: string, namespace: string) => `${noun} '${name}' created in namespace '${namespace}'.`,
  updated: (noun: string, name: string, namespace: string) => `${noun} '${name}' updated in namespace '${namespace}'.`,
  deleted: (noun: string, name: string, namespace: string) => `${noun} '${name}' deleted in namespace '${namespace}'.`,

  successfullyCreated: (noun: string, name: string, namespace: string) =>
    `${noun} '${name}' successfully created in namespace '${namespace}'.`,
  successfullyDeleted: (noun: string, name: string, namespace: string) =>
    `${noun} '${name}' successfully deleted in namespace '${namespace}'.`,
  cannotCreate: (noun: string, name: string, namespace: string) => `cannot create ${noun} '${name}' in namespace '${namespace}'`,
  cannotDelete: (noun: string, name: string, namespace: string) => `cannot delete ${noun} '${name}' in namespace '${namespace}'`,

  serviceDeleted: (name: string, namespace: string) => `Service '${name}' successfully deleted in namespace '${namespace}'.`,
  serviceReplaced: (name: string, namespace: string) => `Service '${name}' replaced in namespace '${namespace}'.`,
  serviceReplacedUnchanged: (name: string, namespace: string) => `Service '${name}' replaced in namespace '${namespace}' (unchanged).`,
  noNewRevision: 'No new revision has been created.',

  creatingService: (name: string, namespace: string) => `Creating service '${name}' in namespace '${namespace}':`,
  replacingService: (name: string, namespace: string) => `Replacing service '${name}' in namespace '${namespace}':`,
  updatingService: (name: string, namespace: string) => `Updating Service '${name}' in namespace '${namespace}':`,
  readyToServe: 'Ready to serve.',
  available: (name: string, done: string, revision: string) =>
    `Service '${name}' ${done} to latest revision '${revision}' is available at URL:`,
  unchanged: (name: string, revision: string) => `Service '${name}' with latest revision '${revision}' (unchanged) is available at URL:`,

  serviceExists: (name: string, namespace: string) =>
    `cannot create service '${name}' in namespace '${namespace}' because the service already exists and no --force option was given`,
  beingDeleted: (noun: string, name: string) => `can't update ${noun} ${name} because it has been marked for deletion`,
  deletedAlready: (noun: string, name: string) => `can't delete ${noun} '${name}' because it has been already marked for deletion`,
}
