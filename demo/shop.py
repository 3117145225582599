"""The demo image's application: enough to be one."""

import flask

application = flask.Flask(__name__)


@application.route("/")
def shop():
    return "open"
