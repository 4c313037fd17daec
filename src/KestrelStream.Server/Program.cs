Console.WriteLine(new KestrelStream.Configuration.ListenerConfig().ToString()); return 0;
