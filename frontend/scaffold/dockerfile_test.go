package scaffold

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// What a Dockerfile does beside a plain build has a key, or the advice what to do without one.
func TestReadDockerfile(t *testing.T) {
	const sdk = "FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build\n"
	const aspnet = "FROM mcr.microsoft.com/dotnet/aspnet:10.0\n"
	for _, tc := range []struct {
		name, file string
		want       []string // line, key, and the beginning of the advice
	}{
		{"the seed's", "FROM --platform=$BUILDPLATFORM mcr.microsoft.com/dotnet/sdk:10.0 AS build\nARG TARGETARCH\n" +
			"WORKDIR /source\nCOPY --link aspnetapp/*.csproj .\nRUN dotnet restore -a $TARGETARCH\n" +
			"COPY --link aspnetapp/. .\nRUN dotnet publish -a $TARGETARCH --no-restore -o /app\n\n" + aspnet +
			"EXPOSE 8080\nWORKDIR /app\nCOPY --link --from=build /app .\nUSER $APP_UID\nENTRYPOINT [\"./aspnetapp\"]\n",
			[]string{"10 image.ports"}},
		{"that of Visual Studio", "FROM mcr.microsoft.com/dotnet/aspnet:8.0-alpine AS base\nUSER app\nWORKDIR /app\n" +
			"EXPOSE 8081\n" + sdk + "ARG BUILD_CONFIGURATION=Release\nCOPY . .\n" +
			"RUN dotnet build ./Web.csproj -c $BUILD_CONFIGURATION -o /app/build\nFROM build AS publish\n" +
			"RUN dotnet publish ./Web.csproj -c $BUILD_CONFIGURATION -o /app/publish /p:UseAppHost=false\n" +
			"FROM base AS final\nWORKDIR /app\nCOPY --from=publish /app/publish .\nENTRYPOINT [\"dotnet\", \"Web.dll\"]\n",
			[]string{"1 base.family alpine", "4 image.ports"}},
		{"all of an image's configuration", aspnet + "ENV A=1\nLABEL a=b\nMAINTAINER me\nVOLUME /data\nSTOPSIGNAL SIGINT\n" +
			"HEALTHCHECK CMD curl localhost\nUSER 99\nWORKDIR /srv\nENTRYPOINT [\"dotnet\", \"a.dll\", \"--x\"]\nCMD [\"y\"]\n",
			[]string{"2 image.env", "3 image.labels", "4 image.labels", "5 image.volumes", "6 image.stop-signal",
				"7 image.healthcheck", "8 image.user", "9 image.workdir /srv, with project: none", "10 image.entrypoint",
				"11 image.args"}},
		{"the app as arguments of a script", aspnet + "COPY start.sh /\nENTRYPOINT [\"/start.sh\"]\n" +
			"CMD [\"dotnet\", \"a.dll\"]\n", []string{"2 files with project: none", "3 image.entrypoint", "4 image.args"}},
		{"files", "FROM scratch AS out\n" + aspnet + "COPY start.sh /\nCOPY --from=out /app .\n" +
			"COPY --from=busybox:1 /bin/sh /bin/\nADD https://example.com/x /x\n",
			[]string{"3 files with project: none", "5 files with image: busybox:1", "6 files from: URL"}},
		{"files beside an app", sdk + "RUN dotnet publish\n" + aspnet + "COPY start.sh /\n", []string{"4 files "}},
		{"commands of the image", aspnet + "RUN apt-get update && apt-get install -y curl \\\n && rm -rf /var/lib/apt\n" +
			"RUN mkdir /data && chown app /data\nRUN adduser me\nRUN sed -i s/a/b/ /etc/x\n" +
			"RUN ln -s /app/a /usr/bin/a && rm /app/*.pdb && curl -o /x https://a/x && tar -xf /x\n",
			[]string{"2 base.packages [curl]; with recommends: true if", "4 files an entry", "4 files mode and owner",
				"5 image.users an entry such as {name: me, uid: 10001}, as the number", "6 files a file of the context",
				"7 files link", "7 files remove", "7 files from: URL", "7 files unpack: true"}},
		{"users", aspnet + "RUN groupadd -g 10100 media && groupadd -r other\n" +
			"RUN useradd -rms /bin/bash -u 10001 --gid media -G video,5 --home-dir=/srv/x shop\n" +
			"RUN adduser --disabled-password --gecos \"\" -u $ID shop\nRUN adduser -D -H -u 7 -G media -h / shop\n" +
			"RUN addgroup -S -g 8 \"group\"\nRUN useradd -u 1 $NAME\nRUN adduser shop media\nRUN usermod -aG media shop\n" +
			"RUN useradd -u\n",
			[]string{"2 image.groups {name: media, gid: 10100}", "2 image.groups an entry such as {name: other, gid: 10001}",
				"3 image.users {name: shop, uid: 10001, gid: media, groups: [video, 5], home: /srv/x, shell: /bin/bash}",
				"4 image.users an entry such as {name: shop, uid: 10001}, as",
				"5 image.users {name: shop, uid: 7, gid: media, home: /}",
				"6 image.groups {name: group, gid: 8}", "7 image.users an entry such as {name: shop, uid: 10001}",
				"8 image.users an entry such as {name: shop, uid: 10001}, as", "9 image.users write all about",
				"10 image.users an entry such as"}},
		{"commands of the build", sdk + "RUN apt-get install -y nodejs\nRUN npm ci && npm run build\n" +
			"RUN --mount=type=secret,id=token dotnet restore\nRUN dotnet nuget add source x\nRUN dotnet test\n" +
			"RUN dotnet publish -c Debug\nRUN dotnet publish -p:Version=1\nRUN dotnet publish --self-contained\n" +
			"RUN dotnet publish -p:PublishAot=true\nRUN mkdir /x\n" + aspnet + "COPY --from=build /app .\n",
			[]string{"2 publish.tools an image", "3 publish.before", "4 nuget.secrets or publish", "5 nuget.feeds", "6 tests",
				"7 publish.configuration", "8 publish.properties", "9 publish.mode self-contained", "10 publish.mode"}},
		{"secrets of commands", sdk + "RUN --mount=type=secret,id=npm --mount=type=ssh npm ci\n" +
			"RUN --mount=type=ssh dotnet restore\nRUN --mount=type=secret,id=npm npm ci && dotnet publish\n" +
			"RUN --mount=type=secret,id=key ./sign.sh\n" +
			"RUN dotnet dev-certs https -ep /app.pfx -p x\n" + aspnet,
			[]string{"2 publish.before[].secrets", "2 publish.before[].ssh", "2 publish.before", "3 publish.ssh",
				"4 nuget.secrets or publish", "4 publish.before", "5 publish.after[].secrets", "5 publish.after",
				"6  mount the certificate when"}},
		{"commands around publish", sdk + "RUN sed -i s/a/b/ x.json\nRUN dotnet tool restore\nRUN dotnet tool install x\n" +
			"RUN dotnet publish -o /app && rm /app/x.pdb\nRUN dotnet ef migrations bundle\n" + aspnet,
			[]string{"2 publish.before", "4 publish.before with the tool in .config", "5 publish.after", "6 publish.after"}},
		{"a note for later commands", sdk + "RUN case $TARGETARCH in amd64) echo linux-x64 > /tmp/rid;; esac\n" +
			"RUN if [ \"$TARGETARCH\" = arm64 ]; then RID=linux-arm64; fi && echo RID=$RID > /tmp/rid.txt\n" +
			"RUN chmod +x /usr/local/bin/x\nRUN . /tmp/rid.txt && dotnet publish -r $RID -o /app\n" + aspnet, nil},
		{"a program that the image runs", sdk + aspnet + "RUN fc-cache -f\n", []string{"3  crosshull runs nothing"}},
		{"a changed file of the base", sdk + aspnet + "RUN for f in /etc/ssl/openssl.cnf; do sed -i s/2/1/ $f; done\n",
			[]string{"3 files a file of the context that has the whole text"}},
		{"tests", sdk + "RUN dotnet test tests/unit -c Release --no-build --logger trx\n" +
			"RUN dotnet test --filter=A -s a.runsettings -p:A=1\nRUN dotnet test a --blame-hang-timeout 5m -- A=1\n" + aspnet,
			[]string{"2 tests ", "3 tests with filter, settings", "4 tests with args"}},
		{"several projects", sdk + "RUN dotnet publish src/web -o /app\nRUN dotnet publish ./src/web -c Release\n" +
			"RUN dotnet publish tools/migrator.csproj -o /m\n" + aspnet + "COPY --from=build /app .\n" +
			"COPY --from=build /m /migrator\n", []string{"4 publish.also or apps"}},
		{"other images", "FROM company/sdk AS build\nFROM company/base\n",
			[]string{"1 publish.tools if a program", "2 base.image"}},
		{"packages", aspnet + "RUN apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y " +
			"--no-install-recommends -o Dpkg::Use-Pty=0 curl=7.* \"libgdiplus\" " +
			"&& rm -rf /var/lib/apt/lists/* && apt-get clean\n" +
			"RUN apt install -t bookworm-backports -y curl tzdata/stable $MORE >/dev/null\nRUN apt-get install -yqq $ALL\n" +
			"RUN apt-get upgrade -y && apt-get purge -y wget\nRUN apt-get install -y --no-install-recommends ./a.deb\n",
			[]string{"2 base.packages [curl=7.*, libgdiplus]",
				"3 base.packages [curl/bookworm-backports, tzdata/stable] and the others by their names; with recommends: true if",
				"4 base.packages the others by their names; with", "5 base.image a newer base", "5 base.packages leave out what",
				"6 base.packages the others by their names"}},
		{"sources of packages", aspnet + "RUN mkdir -p /etc/apt/keyrings && curl https://a/key | gpg --dearmor -o /a.gpg\n" +
			"RUN echo \"deb https://a/ ./\" > /etc/apt/sources.list.d/a.list\n" +
			"RUN curl -o /usr/share/keyrings/a.asc https://a/\n",
			[]string{"2 base.packages.keys with the key", "3 base.packages.sources",
				"4 base.packages.keys with the key"}},
		{"a script", aspnet + "RUN <<EOF\nset -e\napk add curl\nEOF\n", []string{"2 base.image a base"}},
		{"a command without a shell", aspnet + "RUN [\"apt-get\", \"install\", \"curl\"]\n",
			[]string{"2 base.packages [curl]"}},
		{"a folder with a capital, as in Microsoft's tutorial", `FROM mcr.microsoft.com/dotnet/sdk:8.0 AS build
WORKDIR /App
COPY . ./
RUN dotnet restore
RUN dotnet publish -o out
FROM mcr.microsoft.com/dotnet/aspnet:8.0
WORKDIR /App
COPY --from=build /App/out .
ENTRYPOINT ["dotnet", "DotNet.Docker.dll"]
`,
			[]string{"7 publish.properties ContainerWorkingDirectory: /App, only if something names that path"}},
		{"relative folders", sdk + `RUN dotnet publish
` + aspnet + `WORKDIR /srv
WORKDIR "app"
`,
			[]string{"5 publish.properties ContainerWorkingDirectory: /srv/app,"}},
		{"folders on the way to /app", sdk + `RUN dotnet publish
` + aspnet + `ENV HOME=/
WORKDIR /data
WORKDIR $HOME/app
`,
			[]string{"4 image.env"}},
		{"a relative folder without a compile", aspnet + `WORKDIR app
WORKDIR web
COPY out/ .
`,
			[]string{"3 image.workdir /app/web, with project: none", "4 files with project: none"}},
		{"start scripts", sdk + `RUN dotnet publish
` + aspnet + `COPY entrypoint.sh .
ENTRYPOINT ["./entrypoint.sh"]
CMD ["dotnet", "a.dll"]
`,
			[]string{"4 files", "5 image.entrypoint", "6 image.args"}},
		{"a start script as CMD", sdk + `RUN dotnet publish
` + aspnet + `CMD ["/app/start.sh"]
`,
			[]string{"4 image.entrypoint"}},
		{"a start script without an extension", sdk + `RUN dotnet publish
` + aspnet + `COPY deploy/start /app/
ENTRYPOINT ["/app/start"]
`,
			[]string{"4 files", "5 image.entrypoint"}},
		{"the launcher in a folder of its own", sdk + `RUN dotnet publish
` + aspnet + `WORKDIR /srv
ENTRYPOINT exec /srv/My.App
`,
			[]string{"4 publish.properties"}},
		{"root for a while, as with Visual Studio", `FROM mcr.microsoft.com/dotnet/aspnet:10.0 AS base
USER $APP_UID
WORKDIR /app
USER root
RUN apt-get update && apt-get install -y --no-install-recommends curl
USER $APP_UID
FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
RUN dotnet publish
FROM base AS final
COPY --from=build /app/publish .
ENTRYPOINT ["dotnet", "Web.dll"]
`,
			[]string{"5 base.packages [curl]"}},
		{"the last of each", `FROM mcr.microsoft.com/dotnet/aspnet:10.0 AS base
user $APP_UID
STOPSIGNAL SIGQUIT
HEALTHCHECK CMD a
ENTRYPOINT ["/init"]
CMD ["a"]
WORKDIR /x
` + sdk + `RUN dotnet publish
FROM base
USER 0
STOPSIGNAL SIGINT
HEALTHCHECK NONE
WORKDIR /app
ENTRYPOINT ["dotnet", "a.dll"]
`,
			[]string{"11 image.user", "12 image.stop-signal", "13 image.healthcheck"}},
		{"arguments of the app", sdk + `RUN dotnet publish
` + aspnet + `CMD ["dotnet", "App.dll", "--urls", "http://*:80"]
`,
			[]string{"4 image.args ['--urls', 'http://*:80']"}},
		{"arguments of the app in a shell", sdk + `RUN dotnet publish
` + aspnet + `CMD exec "dotnet" App.dll --name 'a b'
`,
			[]string{"4 image.args ['--name', a b]"}},
		{"Heroku's CMD", sdk + `RUN dotnet publish
` + aspnet + `CMD ASPNETCORE_URLS=http://*:$PORT dotnet App.dll
`,
			[]string{`4 image.entrypoint [sh, -c, "…"]`}},
		{"an ENTRYPOINT that needs a shell", sdk + `RUN dotnet publish
` + aspnet + `ENTRYPOINT dotnet App.dll --urls http://*:$PORT
`,
			[]string{`4 image.entrypoint [sh, -c, "…"]`}},
		{"an ENTRYPOINT with arguments", sdk + `RUN dotnet publish
` + aspnet + `ENTRYPOINT ["dotnet", "/app/App.dll", "--x"]
`,
			[]string{"4 image.entrypoint [dotnet, App.dll, '--x']"}},
		{"a launcher with arguments", sdk + `RUN dotnet publish
` + aspnet + `ENTRYPOINT ["./App", "--x"]
`,
			[]string{"4 image.entrypoint as it is only if publish.mode makes a launcher"}},
		{"arguments for the base", sdk + `RUN dotnet publish
FROM company/base
ENTRYPOINT []
CMD ["--x"]
`,
			[]string{"3 base.image", "5 image.args"}},
		{"dotnet run", `FROM mcr.microsoft.com/dotnet/sdk:8.0
COPY . .
RUN dotnet build
CMD dotnet run --no-build
`,
			[]string{"4  the image has no SDK"}},
		{"one stage", `FROM mcr.microsoft.com/dotnet/sdk:8.0
WORKDIR /src
RUN apt-get update && apt-get install -y libgdiplus
COPY . .
RUN dotnet restore
RUN dotnet publish -c Release -o out
ENV A=1
EXPOSE 80
ENTRYPOINT ["dotnet", "out/a.dll"]
`,
			[]string{"3 base.packages [libgdiplus]; with", "7 image.env", "8 image.ports"}},
		{"an image without a tag", sdk + `RUN dotnet publish
FROM busybox AS box
` + aspnet + `COPY --from=busybox /bin/sh /bin/
COPY --from=0 /app .
COPY --from=box /bin/ls /bin/
`,
			[]string{"3 publish.tools if", "5 files with image: busybox", "7 files with image: busybox"}},
		{"tools by COPY", sdk + `COPY --from=node:20 /usr/local /usr/local
COPY --from=busybox /bin/sh /bin/vi /bin/
COPY --from=0 /a /b
RUN dotnet publish
` + aspnet,
			[]string{"2 publish.tools {image: 'node:20', paths: [/usr/local]}, or sdk.image if MSBuild",
				"3 publish.tools {image: busybox, paths: [/bin/sh, /bin/vi]}"}},
		{"output of something else", `FROM node:22 AS web
WORKDIR /web
RUN npm ci
` + sdk + `WORKDIR /src
RUN dotnet publish Web -o ../app/out
RUN dotnet build Web -p:OutDir=/o/ --artifacts-path /arts
RUN dotnet tool install --tool-path /tools dotnet-trace
` + aspnet + `COPY --from=build /app/out/ .
COPY --from=build app/out/wwwroot/ /srv
COPY --from=build /app .
COPY --from=build /o /app/
COPY --from=build /arts/publish/Web /app/
COPY --from=web /web/dist ./wwwroot
COPY --from=build /tools /tools
`,
			[]string{"1 publish.tools if", "3 publish.before", "8 publish.after with the tool in",
				"15 files from the context, if", "16 files from the context, if"}},
		{"texts in files", sdk + `RUN echo '{}' > web/version.json
RUN dotnet publish && echo a >> /app/build.txt
` + aspnet + `RUN echo "precedence ::ffff:0:0/96 100" >> /etc/gai.conf
RUN cat <<EOF > /etc/x
rm -rf /
EOF
RUN echo a 2>&1 >/dev/null && printf b >&2
RUN echo c | tee /etc/c
RUN > /etc/d
`,
			[]string{"2 publish.before", "3 publish.after", "5 files a file of the context that has the whole text",
				"6 files a file of", "10 files a file of", "11 files a file of"}},
		{"commands behind keywords", aspnet + `ARG DEBUG
RUN if [ "$DEBUG" = true ]; then apt-get install -y vim; else ! ln -s /a /b; fi
RUN for i in 1 2; do sudo -E rm /x$i; done
RUN case "$TARGETARCH" in amd64|arm64) mkdir /a ;; *) exit 1 ;; esac && chown app /a
RUN bash -euo pipefail -c 'apt-get update; apt-get install -y --no-install-recommends ` + "`# why`" + ` jq'
RUN ["/bin/sh", "-c", "tar -xf a.tar && sed -i 's|;|&|' x"]
RUN (ls; useradd -u 7 "$(echo a | tr a b)") # && rm x
`,
			[]string{"3 base.packages [vim]", "3 files link", "4 files remove", "5 files an entry", "5 files mode",
				"6 base.packages [jq]", "7 files unpack", "7 files a file of the context", "8 image.users an entry such as"}},
		{"several projects in one RUN", sdk + `WORKDIR /src
RUN dotnet publish src/web -o /app && dotnet publish -o /m -c Release tools/migrator
RUN cd src/web && dotnet publish
WORKDIR tools/migrator
RUN dotnet publish Migrator.csproj
WORKDIR ../job
RUN dotnet publish
` + aspnet,
			[]string{"3 publish.also or apps", "8 publish.also or apps"}},
		{"modes", sdk + `RUN dotnet publish --self-contained true -p:PublishTrimmed=true -p:PublishSingleFile=true
RUN dotnet publish --self-contained=true -r linux-x64
RUN dotnet publish --self-contained false
RUN dotnet publish -p:UseAppHost=true
RUN dotnet publish -p:UseAppHost=false /p:SelfContained=false
RUN dotnet publish --sc -p:PublishReadyToRun=true -p:UseAppHost=true
RUN dotnet publish -p:PublishAot=true -p:PublishTrimmed=true
RUN dotnet publish -p:PublishTrimmed=false
` + aspnet,
			[]string{"2 publish.mode [trimmed, single-file]", "3 publish.mode self-contained", "5 publish.mode apphost",
				"7 publish.mode [self-contained, ready-to-run]", "8 publish.mode aot",
				"9 publish.mode without trimmed, if the project asks for it"}},
		{"options of publish", "ARG BUILD_CONFIGURATION=Debug\n" + sdk + `ARG CONFIG=Debug BUILD_CONFIGURATION
ARG OTHER
RUN dotnet publish -c Debug -p:Version=1 -p:"A=1;B=2" -p C=3
RUN dotnet publish -p:PublishDir=/x -p:PublishProfile=linux -p:OutDir=y
RUN dotnet publish -c "Release"
RUN dotnet publish -c "$CONFIG"
RUN dotnet publish -c "$OTHER" -o "/a b"
RUN dotnet publish -f net8.0 --version-suffix x
RUN dotnet publish -p:Configuration=Debug /p:TargetFramework=net9.0
RUN dotnet publish -p:RuntimeIdentifier=linux-x64 -r linux-x64 -a $TARGETARCH --os linux
RUN dotnet publish -c $BUILD_CONFIGURATION
` + aspnet,
			[]string{"5 publish.configuration Debug", "5 publish.properties Version, A, B, C",
				"6 publish.properties PublishProfile", "8 publish.configuration Debug", "10 framework net8.0",
				"10 publish.properties VersionSuffix", "11 publish.configuration Debug", "11 framework net9.0",
				"13 publish.configuration Debug"}},
		{"options of restore", sdk + `RUN dotnet restore -f --locked-mode -s https://feed.example.com/v3/index.json
RUN dotnet restore --source https://api.nuget.org/v3/index.json --configfile ./NuGet.Config
RUN dotnet restore --configfile /run/secrets/nuget
RUN dotnet nuget locals all --clear
` + aspnet,
			[]string{"2 nuget.locked-mode", "2 nuget.feeds", "4 nuget.config-secret or nuget.config in the root"}},
		{"ADD", sdk + `ADD . /src
ADD *.csproj ./
ADD vendor.tar.gz /src
ADD https://example.com/x.json /src/
RUN dotnet publish
` + aspnet + `ADD start.sh /
ADD tools.tgz /opt
ADD https://example.com/x.tar /x
ADD https://github.com/a/b.git#v1 /b
ADD --unpack=true https://example.com/y.tar.gz /y
ADD --unpack=false a.tar /a
`,
			[]string{"4 publish.before a command that unpacks", "5 publish.before a command that fetches", "8 files ",
				"9 files unpack: true", "10 files from: URL", "11 files from: https://….git#REF:FOLDER",
				"12 files from: URL", "12 files unpack: true", "13 files "}},
		{"a version as an argument", `ARG V=10.0
ARG R=mcr.microsoft.com/dotnet
ARG OS=${V}-alpine
FROM $R/sdk:${V} AS build
RUN dotnet publish
FROM ${R}/aspnet:${OS}
`,
			[]string{"6 base.family alpine"}},
		{"a version as an argument, the default base", `ARG V=8.0
FROM mcr.microsoft.com/dotnet/aspnet:${V}
`, nil},
		{"a default in FROM", `FROM mcr.microsoft.com/dotnet/aspnet:${V:-8.0}-noble-chiseled-amd64
`,
			[]string{"1 base.family noble-chiseled"}},
		{"another image as an argument", `ARG BASE=company/base
FROM ${BASE}:1
`,
			[]string{"2 base.image company/base:1"}},
		{"stages for platforms", sdk + `RUN dotnet publish
` + aspnet[:len(aspnet)-1] + ` AS run-amd64
ENV A=1
FROM run-$TARGETARCH
ENV B=1
`,
			[]string{"4 image.env", "6 image.env"}},
		{"ICU on Alpine", sdk + `RUN dotnet publish
FROM mcr.microsoft.com/dotnet/aspnet:10.0-alpine
ENV DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=false
RUN apk add --no-cache icu-libs icu-data-full tzdata
`,
			[]string{"3 base.family alpine", "4 image.env", "5 base.family the -extra variant"}},
		{"ICU on Alpine before .NET 10", sdk + `RUN dotnet publish
FROM mcr.microsoft.com/dotnet/aspnet:8.0-alpine
RUN apk update && apk add --no-cache icu-libs
`,
			[]string{"3 base.family alpine", "4 base.family none, as the"}},
		{"other packages of Alpine", `FROM mcr.microsoft.com/dotnet/aspnet:10.0-alpine
RUN apk add --no-cache icu-libs krb5-libs && apk upgrade
`,
			[]string{"1 base.family alpine", "2 base.image a base that has the packages, and no base.family",
				"2 base.image a newer base"}},
		{"a script with long lines", aspnet + "RUN <<EOF\napt-get update\napt-get install -y --no-install-recommends \\\n" +
			"  curl \\\r\n  libgdiplus\nEOF\n", []string{"2 base.packages [curl, libgdiplus]"}},
		{"scripts for programs", aspnet + `RUN bash -e <<EOF
useradd -u 7 a
cat > /x <<'END'
apt-get install y
END
EOF
RUN <<EOF
#!/usr/bin/env python3
import os
EOF
`,
			[]string{"2 image.users {name: a, uid: 7}", "2 files a file", "8  crosshull runs nothing"}},
		{"scripts that no shell reads", sdk + "RUN a (\n" + aspnet + "RUN for\nRUN -c (\nRUN apt-get install -y curl )\n" +
			"RUN <<E\n" + strings.Repeat(strings.Repeat("(", 1<<10)+"\n", 1<<10) + "E\nRUN bash -c 'if'\nCMD ./app (\n",
			[]string{"2 publish.before", "4  crosshull runs nothing", "5  crosshull runs nothing", "6  crosshull runs nothing",
				"7  crosshull runs nothing", "1033  crosshull runs nothing", "1034 image.entrypoint [sh, -c"}},
		{"a script that is no text for a shell", aspnet + "RUN <<E\nuseradd -u 7 'a`'\nrm /x # $(\nE\n",
			[]string{"2 image.users an entry such as", "2 files remove"}},
		{"output of several commands", aspnet + "RUN for i in 1 2; do echo $i; done > /x\nRUN [[ -f /y ]] && export A=b\n" +
			"RUN if true; then curl https://a | tar -x; fi\n",
			[]string{"2 files a file of the context", "4 files from: URL", "4 files unpack: true"}},
		{"names in quotes", aspnet + `RUN adduser --disabled-password --gecos "App User" --uid 10 app
RUN useradd -c 'My app' -u 11 --shell="/bin/sh" "shop"
`,
			[]string{"2 image.users {name: app, uid: 10}", "3 image.users {name: shop, uid: 11, shell: /bin/sh}"}},
		{"tools that MSBuild runs", sdk + `RUN curl -fsSL https://deb.nodesource.com/setup_20.x | bash - \
    && apt-get install -y nodejs
RUN apt-get install -y clang zlib1g-dev
RUN dotnet workload install wasm-tools
RUN dotnet publish
` + aspnet,
			[]string{"2 sdk.image an SDK image that has it", "2 sdk.image an SDK image that has nodejs",
				"5 sdk.image an SDK image that has it"}},
		{"tools that commands run", sdk + `RUN apt-get update && apt-get install -y curl nodejs=18.* jq gcc-aarch64-linux-gnu
RUN npm ci
RUN npm install --global yarn
RUN dotnet publish && rm -rf /var/lib/apt/lists/*
` + aspnet,
			[]string{"2 sdk.toolchain an image", "2 publish.tools an image that has nodejs",
				"2 sdk.image an SDK image that has jq", "3 publish.before", "4 sdk.image"}},
		{"files outside of the sources", sdk + `RUN curl -o /usr/local/bin/x https://a && chmod +x /usr/local/bin/x
RUN cp ca.crt /usr/local/share/ca-certificates/ && update-ca-certificates
RUN curl -o x.json https://a
RUN dotnet publish
` + aspnet + `RUN update-ca-certificates
`,
			[]string{"2 sdk.image", "3 sdk.image", "3 nuget.ca", "4 publish.before",
				"7 files a file of the context in PEM"}},
		{"sources and output in odd folders", sdk + `WORKDIR /opt/src
RUN sed -i s/a/b/ /opt/src/x
RUN dotnet publish -o /var/app
RUN rm /var/app/x.pdb && rm -rf /var/lib/apt/lists/* && cp LICENSE /var/app
` + aspnet, []string{"3 publish.before", "5 publish.after"}},
		{"an SDK from packages", `FROM ubuntu:24.04 AS build
RUN apt-get update && apt-get install -y dotnet-sdk-10.0
RUN dotnet publish && dotnet nuget push x.nupkg
` + aspnet, []string{"1 sdk.image if it has", "3 publish.after"}},
		{"an SDK of one's own", `FROM company/sdk AS build
RUN dotnet publish -o /app
FROM build AS bundle
RUN dotnet ef migrations bundle
` + aspnet,
			[]string{"1 sdk.image if it has", "4 publish.after"}},
		{"variables in values", sdk + `RUN dotnet publish
` + aspnet + `ARG VERSION=1
ENV PATH="$PATH:/opt/tools"
ENV A=$VERSION B='$x'
LABEL a="${VERSION}"
EXPOSE $PORT
`,
			[]string{"5 image.env write the whole value, as crosshull does not expand $PATH",
				"6 image.env ${VERSION}, with VERSION in args", "7 image.labels ${VERSION}, with",
				"8 image.ports write the whole"}},
		{"a stage in other case", "FROM mcr.microsoft.com/dotnet/runtime:9.0 AS Base\nFROM base\nENV A=1\n",
			[]string{"3 image.env"}},
		{"a stage of its own name", "FROM alpine AS alpine\nENV A=1\n", []string{"1 base.image", "2 image.env"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := ReadDockerfile("Dockerfile", []byte(tc.file))
			if d.Err != nil {
				t.Fatal(d.Err)
			}
			var got []string
			for _, n := range d.Needs {
				got = append(got, fmt.Sprintf("%d %s %s", n.Line, n.Key, n.Advice))
				if n.Text == "" {
					t.Errorf("line %d has no text", n.Line)
				}
			}
			if !slices.EqualFunc(got, tc.want, func(g, w string) bool { return strings.HasPrefix(g, w) }) {
				t.Errorf("got  %q\nwant %q", got, tc.want)
			}
		})
	}
	for _, bad := range []string{"", "FROM", "RUN x\n", "\xff", "FROM a\nNONSENSE b\n"} {
		if d := ReadDockerfile("Dockerfile", []byte(bad)); len(d.Needs) > 0 {
			t.Errorf("%q needs %v", bad, d.Needs)
		}
	}
}

func TestIsDockerfile(t *testing.T) {
	for name, want := range map[string]bool{
		"Dockerfile": true, "src/web/Dockerfile": true, "Dockerfile.alpine": true, "web.Dockerfile": true,
		"Dockerfile.dockerignore": false, "dockerfile.txt": false, "Dockerfiles/x": false,
	} {
		if IsDockerfile(name) != want {
			t.Errorf("%s: not %v", name, want)
		}
	}
}

func FuzzReadDockerfile(f *testing.F) {
	f.Add("FROM a AS b\nRUN x && dotnet publish -p:A=1\nFROM b\nCOPY --from=0 a b\n")
	f.Add("ARG A=1\nFROM a:$A\nENV B=$C\nWORKDIR b\n" +
		"RUN <<E\ncase x in a) b | \"$(c 'd')\" >e;; esac\nE\nCMD dotnet a.dll b\n")
	f.Fuzz(func(t *testing.T, file string) {
		checkSpec(t, Found{Apps: []App{{Path: "a.csproj"}}, Dockerfiles: []Dockerfile{ReadDockerfile(file, []byte(file))}})
	})
}
