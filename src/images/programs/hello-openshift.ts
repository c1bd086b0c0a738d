/** @see openshift/origin examples/hello-openshift; the original also listens on a second port, which nothing here could reach. */
import { answerText, portFromEnvironment, print, serve } from '../program.js'

const text = process.env['RESPONSE'] || 'Hello OpenShift!'

print('stdout', `serving on ${portFromEnvironment()}`)
serve((_request, response) => {
  answerText(response, `${text}\n`)
  print('stdout', 'Servicing request.')
})
