# The specs of ruby-pg start a server of their own: here they get the way's.
require File.join(Dir.pwd, "spec", "helpers")

class PG::TestingHelpers::PostgresServer
  def initialize(name, port:, **)
    @name = name
    @port = port
    @conninfo = "host=localhost port=#{port} dbname=test user=postgres"
    @unix_socket = "/nowhere"
  end

  def create_test_db; end

  def teardown; end
end
