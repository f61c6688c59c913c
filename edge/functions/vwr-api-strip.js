// CloudFront Function on /vwr-api/* (viewer request, runtime 2.0): the API knows its routes as /vwr/….
function handler(event) {
  var request = event.request;
  if (request.uri.indexOf('/vwr-api/') === 0) {
    request.uri = request.uri.slice('/vwr-api'.length);
  }
  return request;
}
