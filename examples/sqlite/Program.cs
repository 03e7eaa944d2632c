using System.Runtime.InteropServices;
using Microsoft.EntityFrameworkCore;

// A volume for the database is made by the spec: /data, owned by the user that the image runs as.
var folder = Directory.Exists("/data") ? "/data" : Path.GetTempPath();

using var notes = new NoteContext(Path.Combine(folder, "notes.db"));
notes.Database.EnsureCreated();
notes.Notes.Add(new Note { Text = "Hello from SQLite" });
notes.SaveChanges();
Console.WriteLine($"{notes.Notes.OrderBy(n => n.Id).First().Text} on {RuntimeInformation.ProcessArchitecture}");

class Note
{
    public int Id { get; set; }
    public required string Text { get; set; }
}

class NoteContext(string file) : DbContext
{
    public DbSet<Note> Notes => Set<Note>();

    protected override void OnConfiguring(DbContextOptionsBuilder options) => options.UseSqlite($"Data Source={file}");
}
