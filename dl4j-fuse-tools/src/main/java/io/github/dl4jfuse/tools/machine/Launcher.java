package io.github.dl4jfuse.tools.machine;

import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import java.util.jar.Attributes;
import java.util.jar.JarFile;
import java.util.jar.Manifest;

/**
 * Starts the program again under {@link Setting#recommended}: the environment of a JVM cannot be changed from within.
 *
 * <p>A variable that the user has set stays as it is. {@code DL4J_FUSE_LAUNCHER=off} switches this off, and then nothing
 * at all is changed.
 */
public final class Launcher {

    /** Set to "off" by a user who wants DL4J as it comes, and to "done" in the process that was started. */
    public static final String VARIABLE = "DL4J_FUSE_LAUNCHER";

    private Launcher() {}

    /** Returns whether this process was started by {@link #startAgain}. */
    public static boolean isDone() {
        return "done".equals(System.getenv(VARIABLE));
    }

    /**
     * Runs {@code main} in a new JVM with this one's options and class path, if the environment has to change.
     *
     * @return the exit code of that process, or empty if this process should go on
     */
    public static OptionalInt startAgain(Class<?> main, String[] args) {
        if (isDone() || "off".equals(System.getenv(VARIABLE))) {
            return OptionalInt.empty();
        }
        Setting setting = Setting.recommended(Cpu.detect());
        Map<String, String> missing = new LinkedHashMap<>(setting.environment());
        missing.keySet().removeAll(System.getenv().keySet());

        List<String> options =
                new ArrayList<>(ManagementFactory.getRuntimeMXBean().getInputArguments());
        options.addAll(0, setting.flags()); // the user's own come later and win
        ProcessBuilder builder = new ProcessBuilder(command(options, classPath(), main, args)).inheritIO();
        builder.environment().putAll(missing);
        builder.environment().put(VARIABLE, "done");
        try {
            Process process = builder.start();
            Runtime.getRuntime().addShutdownHook(new Thread(process::destroy));
            return OptionalInt.of(process.waitFor());
        } catch (IOException e) {
            return OptionalInt.empty(); // a machine that starts no second process still runs the program
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return OptionalInt.of(1);
        }
    }

    /**
     * Runs a program and returns what it prints, errors included; empty if it fails or takes longer than that.
     *
     * @throws IOException if it cannot be started
     */
    public static Optional<String> output(ProcessBuilder program, Duration patience) throws IOException {
        Path output = Files.createTempFile("output", ".txt");
        try {
            Process process = program.redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .start();
            if (!process.waitFor(patience.toMillis(), TimeUnit.MILLISECONDS)) {
                process.destroyForcibly();
                return Optional.empty();
            }
            return process.exitValue() == 0 ? Optional.of(Files.readString(output)) : Optional.empty();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        } finally {
            Files.delete(output);
        }
    }

    /** Returns the command that runs a main class in a JVM like this one. */
    public static List<String> command(List<String> options, List<Path> classPath, Class<?> main, String... args) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(options);
        command.add("-cp");
        command.add(String.join(
                File.pathSeparator, classPath.stream().map(Path::toString).toList()));
        command.add(main.getName());
        command.addAll(Arrays.asList(args));
        return command;
    }

    /** Returns this JVM's class path, with the jars that a jar's manifest names. */
    public static List<Path> classPath() {
        List<Path> entries = new ArrayList<>();
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
            Path path = Path.of(entry).toAbsolutePath();
            entries.add(path);
            for (String name : namedByManifest(path)) {
                entries.add(Path.of(path.toUri().resolve(name))); // a relative or an absolute URL
            }
        }
        return entries;
    }

    private static String[] namedByManifest(Path path) {
        if (!path.toString().endsWith(".jar")) {
            return new String[0];
        }
        try (JarFile jar = new JarFile(path.toFile())) {
            Manifest manifest = jar.getManifest();
            String value =
                    manifest == null ? null : manifest.getMainAttributes().getValue(Attributes.Name.CLASS_PATH);
            return value == null ? new String[0] : value.trim().split("\\s+", -1);
        } catch (IOException e) {
            return new String[0];
        }
    }
}
