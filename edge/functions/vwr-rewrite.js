// CloudFront Function on /vwr/* (viewer request, runtime 2.0): the waiting page is one static file that
// reads the event from its own address. Its assets, and anything else, are left as they are asked for.
function handler(event) {
  var request = event.request;
  if (/^\/vwr\/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\/?$/.test(request.uri)) {
    request.uri = '/vwr/index.html';
  }
  return request;
}
