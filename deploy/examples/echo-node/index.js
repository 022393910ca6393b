'use strict';

exports.handler = async (event, context) => {
  console.log('called as', context.functionName);
  return { echo: event, requestId: context.awsRequestId };
};
